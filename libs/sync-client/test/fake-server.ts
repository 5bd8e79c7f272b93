import type { Message, MessagesFrame, Position, WireError } from '@soleil/sync-protocol';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync } from 'node:zlib';
import { Server, type Socket } from 'socket.io';

interface Log {
  epoch: string;
  messages: Message[];
}

interface Received {
  event: 'subscribe' | 'unsubscribe' | 'ack' | 'have' | 'sync_request' | 'ping';
  frame: { channel: string; position?: Position; offset: number; items: { key: string; hash: string | null }[] };
  socket: Socket;
}

export const wireError = (code: string, retryable = false): WireError => ({
  code,
  message: `test: ${code}`,
  remedy: 'none',
  retryable,
});

/**
 * The server's half of the protocol as far as a client can tell, over real sockets, with the log in memory. Tests bend it:
 * they refuse, mute, cut, and send frames that a real one sends only when something goes wrong.
 */
export class FakeServer {
  readonly #logs = new Map<string, Log>();
  readonly #subscribers = new Map<string, Set<Socket>>();
  readonly #expected: { event: string; matches: (received: Received) => boolean; resolve: (received: Received) => void }[] =
    [];
  /** Everything clients sent, in order. */
  readonly received: Received[] = [];
  readonly handshakes: Record<string, unknown>[] = [];
  readonly sockets: Socket[] = [];
  /** Refuses a handshake. */
  admit: (auth: Record<string, unknown>) => WireError | null = () => null;
  /** Refuses a subscription. */
  allow: (channel: string) => WireError | null = () => null;
  /** Refuses a report of files. */
  takesReports: (channel: string) => WireError | null = () => null;
  /** Whether a ping of this socket is answered. */
  answersPings: (socket: Socket) => boolean = () => true;
  /** Messages in one frame while catching up. */
  pageSize = 1_000;
  /** Frames of catching up this socket gets before the server falls silent about the channel. */
  pages: (socket: Socket) => number = () => Infinity;
  /** A `reset` may come before the answer to its `subscribe`, or some time after it: milliseconds, null for before. */
  resetAfterMs: number | null = null;
  /** Sends every frame compressed whose number, from 1, fits. */
  deflates: (nth: number) => boolean = () => false;
  #framesSent = 0;
  /** Marks all but the last frame of catching up as one step. */
  oneStep = false;

  private constructor(
    private readonly io: Server,
    readonly url: string,
  ) {
    io.of('/sync').use((socket, next) => {
      this.handshakes.push(socket.handshake.auth);
      const error = this.admit(socket.handshake.auth);
      next(error === null ? undefined : Object.assign(new Error(error.message), { data: error }));
    });
    io.of('/sync').on('connection', (socket) => this.#welcome(socket));
  }

  static async start(): Promise<FakeServer> {
    const http = createServer();
    const io = new Server(http, { serveClient: false });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return new FakeServer(io, `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    await this.io.close();
  }

  get socket(): Socket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('Nobody has connected yet.');
    return socket;
  }

  log(channel: string): Log {
    let log = this.#logs.get(channel);
    if (log === undefined) this.#logs.set(channel, (log = { epoch: 'e1', messages: [] }));
    return log;
  }

  /** Appends, and sends it to who is subscribed. @param key null for a message about no entity */
  publish(channel: string, key: string | null, data: unknown): Message {
    const message = this.append(channel, key, data);
    for (const socket of this.#subscribers.get(channel) ?? [])
      this.#emit(socket, this.frame(channel, message.offset, message.offset));
    return message;
  }

  /** Appends without sending. */
  append(channel: string, key: string | null, data: unknown): Message {
    const { messages } = this.log(channel);
    const offset = messages.length + 1;
    const message = {
      offset,
      id: `${channel}#${offset}`,
      type: 'note',
      ...(key === null ? {} : { key }),
      data,
      at: '2026-11-23T20:00:00.000Z',
    };
    messages.push(message);
    return message;
  }

  /** Another history, as after a restored backup. */
  replaceHistory(channel: string, epoch: string): void {
    this.#logs.set(channel, { epoch, messages: [] });
  }

  frame(channel: string, from: number, to: number, more = false): MessagesFrame {
    const { epoch, messages } = this.log(channel);
    const step = more ? { more: true as const, until: { epoch, offset: messages.length } } : {};
    return { channel, epoch, from, to, messages: messages.slice(from - 1, to), ...step };
  }

  /** Resolves with the next frame of this event that matches; those that came before do not count. */
  next(event: Received['event'], matches: (received: Received) => boolean = () => true): Promise<Received> {
    return new Promise((resolve) => this.#expected.push({ event, matches, resolve }));
  }

  of(event: Received['event']): Received['frame'][] {
    return this.received.filter((each) => each.event === event).map(({ frame }) => frame);
  }

  #welcome(socket: Socket): void {
    this.sockets.push(socket);
    socket.on('subscribe', (frame, answer) => {
      this.#note('subscribe', frame, socket);
      const refusal = this.allow(frame.channel);
      if (refusal !== null) return answer({ ok: false, error: refusal });
      if (this.#subscribers.get(frame.channel)?.has(socket))
        return answer({ ok: false, error: wireError('already_subscribed') });
      this.#subscribe(socket, frame, answer);
    });
    socket.on('unsubscribe', (frame, answer) => {
      this.#note('unsubscribe', frame, socket);
      this.#subscribers.get(frame.channel)?.delete(socket);
      answer({ ok: true });
    });
    socket.on('ack', (frame) => this.#note('ack', frame, socket));
    socket.on('have', (frame, answer) => {
      this.#note('have', frame, socket);
      const refusal = this.takesReports(frame.channel);
      answer(refusal === null ? { ok: true } : { ok: false, error: refusal });
    });
    socket.on('sync_request', (frame, answer) => {
      this.#note('sync_request', frame, socket);
      answer(frame.mode === 'full' ? { ok: false, error: wireError('leader_only') } : { ok: true, operationId: 'op-1' });
    });
    socket.on('ping', (frame) => {
      if (this.answersPings(socket)) socket.emit('pong', { t: frame.t, serverTime: Date.now() });
      this.#note('ping', frame, socket);
    });
    socket.on('disconnect', () => {
      for (const subscribers of this.#subscribers.values()) subscribers.delete(socket);
    });
  }

  #subscribe(
    socket: Socket,
    { channel, position }: { channel: string; position?: Position },
    answer: (answer: object) => void,
  ): void {
    const { epoch, messages } = this.log(channel);
    const head = messages.length;
    const good = position === undefined || (position.epoch === epoch && position.offset <= head);
    const begin = () => this.#send(socket, channel, good ? (position?.offset ?? 0) : 0, head);
    const subscribers = this.#subscribers.get(channel) ?? new Set();
    this.#subscribers.set(channel, subscribers.add(socket));
    const reason = position?.epoch === epoch ? 'position_ahead' : 'epoch_unknown';
    const reset = () => socket.emit('reset', { channel, epoch, reason });
    if (!good && this.resetAfterMs === null) reset();
    answer({ ok: true, epoch, head });
    if (good || this.resetAfterMs === null) return begin();
    setTimeout(() => {
      reset();
      begin();
    }, this.resetAfterMs);
  }

  #send(socket: Socket, channel: string, offset: number, head: number): void {
    let pages = this.pages(socket);
    for (let from = offset + 1; from <= head && pages > 0; from += this.pageSize, pages -= 1) {
      const to = Math.min(head, from + this.pageSize - 1);
      this.#emit(socket, this.frame(channel, from, to, this.oneStep && to < head));
    }
  }

  #emit(socket: Socket, frame: MessagesFrame): void {
    this.#framesSent += 1;
    if (this.deflates(this.#framesSent))
      socket.emit('deflated', { data: deflateSync(JSON.stringify(frame)).toString('base64') });
    else socket.emit('messages', frame);
  }

  #note(event: Received['event'], frame: Received['frame'], socket: Socket): void {
    const received = { event, frame, socket };
    this.received.push(received);
    const index = this.#expected.findIndex((each) => each.event === event && each.matches(received));
    if (index >= 0) this.#expected.splice(index, 1)[0]?.resolve(received);
  }
}
