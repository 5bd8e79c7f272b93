import { z } from 'zod';

/** The version this package describes. A server lists the versions it speaks in `protocol_unsupported`. */
export const protocolVersion = 1;

/**
 * A connection opens with this as Socket.IO's `auth`, on the namespace `/sync`. A refusal is a `connect_error` whose
 * `data` is a wire error.
 */
export const handshake = z.object({
  token: z.string().max(4096),
  /** Chosen by the device, kept as long as its store is: it names the store, so two stores never share one. */
  deviceId: z.string().regex(/^[\w-]{8,64}$/, 'must be 8 to 64 letters, digits, "_" or "-"'),
  protocol: z.int(),
  /** What the others in the band may call it: "iPad". */
  deviceName: z
    .string()
    .min(1)
    .max(40)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u)
    .optional(),
  /** Whether the store outlives the page or process. One that does not cannot come back: its device is soon forgotten. */
  durable: z.boolean().default(true),
  /** What the client can read besides plain frames: `deflate`, then large frames come as `deflated`. Others are ignored. */
  accept: z.array(z.string().max(32)).max(8).default([]),
});

export type Handshake = z.infer<typeof handshake>;

/** Sent once after connecting, and again whenever the server wants another pace of acknowledgements. */
export const pace = z.strictObject({
  /** Acknowledge at the latest this long after a frame arrived. Milliseconds. */
  ackEveryMs: z.int().min(0),
  /** Acknowledge at once when this many bytes of frames are unacknowledged. */
  ackEveryBytes: z.int().min(1),
});

export type Pace = z.infer<typeof pace>;

/** Milliseconds since the epoch of Unix, as the sender's clock has it. */
export const ping = z.strictObject({ t: z.number() });
/** Answers `ping`: its `t`, and the server's own clock. */
export const pong = z.strictObject({ t: z.number(), serverTime: z.number() });

export type Pong = z.infer<typeof pong>;
