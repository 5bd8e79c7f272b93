import type { Socket as Line } from 'node:net';
import { deflateSync } from 'node:zlib';
import type { Namespace, Socket } from 'socket.io';
import type { WeighedFrame } from '../fan-out/frames.js';

type FrameEvent = 'messages' | 'deflated';

/** Of the insides of Socket.IO, Engine.IO and ws what is used here. Each part may be missing or another one. */
interface Insides {
  server: { encoder?: { encode(packet: { type: number; nsp: string; data: unknown[] }): unknown[] } };
  conn: {
    readyState: string;
    writeBuffer?: unknown[];
    transport: { name: string; writable: boolean; socket?: { _socket?: Line | null } };
  };
}

/** Socket.IO's EVENT packet. */
const eventPacket = 2;

/**
 * Puts frames on the line. One frame is encoded once for all whom it goes to, and a large one is compressed once for all who accept that, never
 * by each socket: `perMessageDeflate` cost eight times the throughput.
 *
 * Below Socket.IO: the finished bytes go to the TCP socket, past what Socket.IO, Engine.IO and ws do for each packet and each
 * receiver. Whoever listens to a stock client notices no difference. Where anything is not as it is known here (another transport, parser or engine,
 * or bytes that still wait in that socket), the frame goes the public way, `socket.emit`. See docs/decisions/0010.
 */
export class FrameSender {
  private readonly deflated = new WeakMap<WeighedFrame, string>();
  private readonly encoded = {
    messages: new WeakMap<WeighedFrame, Buffer>(),
    deflated: new WeakMap<WeighedFrame, Buffer>(),
  };
  /** What a packet of the namespace with one event begins with; null where the application's parser writes packets in another way. */
  private readonly opening: string | null;

  /** @param deflateAfterBytes frames of more than this are compressed */
  constructor(
    namespace: Namespace,
    private readonly deflateAfterBytes: number,
  ) {
    const { encoder } = namespace.server as unknown as Insides['server'];
    const packets = encoder?.encode({ type: eventPacket, nsp: namespace.name, data: ['messages', {}] });
    this.opening =
      packets?.length === 1 && packets[0] === `2${namespace.name},["messages",{}]` ? `42${namespace.name},` : null;
  }

  /** @param accepts whether the device takes large frames compressed */
  send(socket: Socket, weighed: WeighedFrame, accepts: boolean): void {
    const event = accepts && weighed.bytes > this.deflateAfterBytes ? 'deflated' : 'messages';
    const line = readyLine(socket);
    if (line && this.opening) line.write(this.bytesOf(event, weighed, this.opening));
    else socket.emit(event, event === 'deflated' ? { data: this.deflate(weighed) } : weighed.frame);
  }

  /** As they go over the line. */
  private bytesOf(event: FrameEvent, weighed: WeighedFrame, opening: string): Buffer {
    const known = this.encoded[event];
    let bytes = known.get(weighed);
    if (!bytes) {
      const payload = event === 'deflated' ? `{"data":"${this.deflate(weighed)}"}` : weighed.json;
      known.set(weighed, (bytes = textFrame(`${opening}["${event}",${payload}]`)));
    }
    return bytes;
  }

  /** In this turn: were it left to a thread, what comes later could overtake it. */
  private deflate(weighed: WeighedFrame): string {
    let data = this.deflated.get(weighed);
    if (data === undefined) {
      data = deflateSync(weighed.json).toString('base64');
      this.deflated.set(weighed, data);
    }
    return data;
  }
}

/** The TCP socket beneath, if all that was sent before has gone through it: nothing is overtaken. */
function readyLine(socket: Socket): Line | null {
  const { conn } = socket as unknown as Insides;
  const { transport } = conn;
  if (!socket.connected || conn.readyState !== 'open' || transport.name !== 'websocket') return null;
  if (!transport.writable || conn.writeBuffer?.length !== 0) return null;
  const line = transport.socket?._socket;
  return line?.writable && line.writableLength === 0 ? line : null;
}

/** A WebSocket frame of text, as servers send it (RFC 6455, section 5.2): whole, not masked. */
function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const headBytes = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + bytes);
  frame[0] = 0x81;
  if (headBytes === 2) frame[1] = bytes;
  else if (headBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  frame.write(text, headBytes);
  return frame;
}
