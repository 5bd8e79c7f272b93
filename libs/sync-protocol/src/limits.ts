/** What the protocol itself bounds, whatever a server's options are. */
export const limits = {
  /** A frame from a client, bytes of JSON. A larger one is answered `frame_too_large`. */
  upFrameBytes: 64 * 1024,
  /** A transport's packet. One larger is not read at all: the transport closes (WebSocket code 1009). */
  packetBytes: 1024 * 1024,
  /** A message's data, bytes of JSON. */
  messageBytes: 256 * 1024,
  /** A signal's data, bytes of JSON. */
  signalBytes: 4 * 1024,
} as const;
