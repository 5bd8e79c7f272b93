import type { Socket as Line } from 'node:net';
import { deflateSync } from 'node:zlib';
import type { Namespace, Socket } from 'socket.io';
import type { WeighedFrame } from '../fan-out/frames.js';

type FrameEvent = 'messages' | 'deflated';

/** A packet of Socket.IO for many: its text, and the WebSocket frame of it as Engine.IO takes it. */
interface Packet {
  text: string;
  options: { wsPreEncodedFrame: [Buffer] };
}

/** Of the insides of Socket.IO, Engine.IO and ws what is used here. Each part may be missing or another one. */
interface Insides {
  server: { encoder?: { encode(packet: { type: number; nsp: string; data: unknown[] }): unknown[] } };
  conn: {
    readyState: string;
    writeBuffer?: unknown[];
    write(text: string, options?: Packet['options']): void;
    transport: {
      name: string;
      writable: boolean;
      perMessageDeflate?: unknown;
      socket?: { _socket?: Line | null; _sender?: { sendFrame?: unknown } };
    };
  };
}

/** Socket.IO's EVENT packet. */
const eventPacket = 2;
/** Engine.IO's MESSAGE packet. */
const messagePacket = '4';

/**
 * Puts frames on the line. One frame is encoded once for all whom it goes to, and a large one is compressed once for all
 * who accept that, never by each socket: `perMessageDeflate` cost eight times the throughput.
 *
 * Below Socket.IO: the finished bytes go to the TCP socket, past what Socket.IO, Engine.IO and ws do for each packet and each
 * receiver. Whoever listens to a stock client notices no difference. Over another transport, and while that socket has bytes that still
 * wait, Engine.IO takes the same packet. Where an application has a parser of its own, the frame goes by `socket.emit`. See
 * docs/decisions/0010.
 */
export class FrameSender {
  private readonly deflated = new WeakMap<WeighedFrame, string>();
  private readonly packets = {
    messages: new WeakMap<WeighedFrame, Packet>(),
    deflated: new WeakMap<WeighedFrame, Packet>(),
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
      packets?.length === 1 && packets[0] === `2${namespace.name},["messages",{}]` ? `2${namespace.name},` : null;
  }

  /** @param accepts whether the device takes large frames compressed */
  send(socket: Socket, weighed: WeighedFrame, accepts: boolean): void {
    const event = accepts && weighed.bytes > this.deflateAfterBytes ? 'deflated' : 'messages';
    if (this.opening === null) {
      socket.emit(event, event === 'deflated' ? { data: this.deflate(weighed) } : weighed.frame);
      return;
    }
    if (!socket.connected) return;
    const { conn } = socket as unknown as Insides;
    const { text, options } = this.packetOf(event, weighed, this.opening);
    const line = readyLine(conn);
    if (line) line.write(options.wsPreEncodedFrame[0]);
    else if (takesFrames(conn.transport)) conn.write('', options);
    else conn.write(text);
  }

  private packetOf(event: FrameEvent, weighed: WeighedFrame, opening: string): Packet {
    const known = this.packets[event];
    let packet = known.get(weighed);
    if (!packet) {
      const payload = event === 'deflated' ? `{"data":"${this.deflate(weighed)}"}` : weighed.json;
      const text = `${opening}["${event}",${payload}]`;
      known.set(weighed, (packet = { text, options: { wsPreEncodedFrame: [textFrame(messagePacket + text)] } }));
    }
    return packet;
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

/** Whether Engine.IO will send the finished frame, and has no use for the text: what waits is held once. */
function takesFrames({ name, perMessageDeflate, socket }: Insides['conn']['transport']): boolean {
  return name === 'websocket' && !perMessageDeflate && typeof socket?._sender?.sendFrame === 'function';
}

/** The TCP socket beneath, if all that was sent before has gone through it: nothing is overtaken. */
function readyLine({ readyState, writeBuffer, transport }: Insides['conn']): Line | null {
  if (readyState !== 'open' || transport.name !== 'websocket' || !transport.writable || writeBuffer?.length !== 0)
    return null;
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
