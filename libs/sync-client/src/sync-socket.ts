import type {
  Closing,
  Draining,
  Have,
  MessagesFrame,
  Pace,
  Pong,
  Position,
  protocolVersion,
  Signal,
  Signalled,
  SubscribeAnswer,
  SyncRequest,
  WireError,
} from '@soleil/sync-protocol';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { clientError, mayReconnect, SyncClientError } from './client-error.js';
import type { Clock } from './clock.js';
import { isDeflatedFrame, isMessagesFrame, isPace, isSignal, namesChannel } from './frame-check.js';
import { InOrder } from './in-order.js';
import { canInflate, inflate } from './inflate.js';

// A value import would bring the schema library along; the type keeps the number honest.
const protocol: typeof protocolVersion = 1;

type Answer<Success> = ({ ok: true } & Success) | { ok: false; error: WireError };

/** What the server answers. */
interface Questions {
  subscribe: { frame: { channel: string; position?: Position; until?: Position }; answer: SubscribeAnswer };
  unsubscribe: { frame: { channel: string }; answer: Answer<object> };
  have: { frame: Have; answer: Answer<object> };
  signal: { frame: Signal; answer: Answer<object> };
  sync_request: { frame: SyncRequest; answer: Answer<{ operationId: string }> };
}

/** What is sent without wanting an answer: `pong` comes as an event, and an answer to an `ack` would only cost. */
interface Statements {
  ack: { channel: string; offset: number };
  ping: { t: number };
}

/** What a socket tells. After `ended` nothing more comes. */
export interface SocketListener {
  opened(): void;
  /** Once. @param reconnect whether coming back as we are makes sense */
  ended(error: WireError, reconnect: boolean): void;
  /** Any sign of life. */
  heard(): void;
  pace(pace: Pace): void;
  /** @param bytes as they came over the line */
  messages(frame: MessagesFrame, bytes: number): void;
  reset(channel: string): void;
  revoked(channel: string): void;
  signal(signal: Signalled): void;
  draining(draining: Draining): void;
  pong(pong: Pong): void;
}

export interface SocketTarget {
  /** With the namespace. */
  url: string;
  token: string;
  deviceId: string;
  deviceName: string | undefined;
  durable: boolean;
  options: Partial<ManagerOptions & SocketOptions>;
  answerTimeoutMs: number;
}

/** One attempt at a connection, and the connection it becomes. It never comes back: reconnecting is a new socket. */
export class SyncSocket {
  readonly #socket: Socket;
  readonly #waiting = new Set<(error: WireError) => void>();
  /** Sizes of what came over the line and was not handled yet: a burst arrives as a whole before its first frame is. */
  readonly #sizes: number[] = [];
  #size = 0;
  /** Inflating a compressed frame takes its time; nothing that comes later may overtake it. */
  readonly #inOrder = new InOrder();
  #ended = false;

  constructor(
    private readonly target: SocketTarget,
    private readonly clock: Clock,
    private readonly listener: SocketListener,
  ) {
    this.#socket = io(target.url, {
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      ...target.options,
      auth: {
        token: target.token,
        deviceId: target.deviceId,
        deviceName: target.deviceName,
        durable: target.durable,
        protocol,
        ...(canInflate ? { accept: ['deflate'] } : {}),
      },
      autoConnect: false,
      forceNew: true,
      reconnection: false,
    });
    this.#listen();
    this.#socket.connect();
  }

  say<Event extends keyof Statements>(event: Event, frame: Statements[Event]): void {
    if (!this.#ended) this.#socket.emit(event, frame);
  }

  /**
   * @param answered called before anything that came after the answer; the promise may resolve later
   * @throws SyncClientError when the connection ends before the answer; one that stays away for too long ends it
   */
  ask<Event extends keyof Questions>(
    event: Event,
    frame: Questions[Event]['frame'],
    answered: (answer: Questions[Event]['answer']) => void = () => undefined,
  ): Promise<Questions[Event]['answer']> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new SyncClientError(clientError('not_connected', 'There is no connection.')));
      const settle = (finish: () => void) => {
        this.#waiting.delete(giveUp);
        cancel();
        finish();
      };
      const giveUp = (error: WireError) => settle(() => reject(new SyncClientError(error)));
      const cancel = this.clock.after(this.target.answerTimeoutMs, () =>
        this.end(
          clientError('answer_missing', `The server left "${event}" unanswered for ${this.target.answerTimeoutMs} ms.`),
        ),
      );
      this.#waiting.add(giveUp);
      this.#socket.emit(event, frame, (answer: Questions[Event]['answer']) =>
        this.#inOrder.run(() =>
          settle(() => {
            if (!this.#ended) answered(answer);
            resolve(answer);
          }),
        ),
      );
    });
  }

  /** Ends the connection and tells the listener why. */
  end(error: WireError, reconnect = true): void {
    if (this.#ended) return;
    this.leave(error);
    this.listener.ended(error, reconnect);
  }

  /** Ends the connection and tells nobody but those who wait for an answer. What was said before is still sent. */
  leave(error: WireError = clientError('not_connected', 'The connection was closed.')): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.off();
    // A server drops what arrives in one turn with Socket.IO's own goodbye, the last acknowledgements for instance. So the
    // line is closed under it; an attempt that is not through yet is called off.
    if (this.#socket.connected) this.#socket.io.engine.close();
    else this.#socket.disconnect();
    for (const giveUp of [...this.#waiting]) giveUp(error);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.io.on('open', () => {
      socket.io.engine.on('packet', ({ type, data }) => {
        if (this.#ended) return;
        if (type === 'message' && typeof data === 'string') this.#sizes.push(data.length);
        this.listener.heard();
      });
    });
    // Comes before the socket hands the packet on as an event.
    socket.io.on('packet', () => (this.#size = this.#sizes.shift() ?? 0));
    socket.on('connect', () => this.listener.opened());
    socket.on('connect_error', (error) => {
      const refusal = (error as Error & { data?: WireError }).data;
      if (typeof refusal?.code === 'string') this.end(refusal, mayReconnect(refusal));
      else this.end(clientError('connection_lost', `Could not connect: ${error.message}.`));
    });
    socket.on('disconnect', (reason) => this.end(clientError('connection_lost', `The connection ended: ${reason}.`)));
    socket.on('closing', ({ error, reconnect }: Closing) => this.end(error, reconnect));
    socket.on('messages', (frame: unknown) => {
      const size = this.#size;
      this.#inOrder.run(() => this.#messages(frame, size));
    });
    socket.on('deflated', (frame: unknown) => this.#deflated(frame));
    socket.on('reset', (frame: unknown) =>
      this.#inOrder.run(() => this.#named('reset', frame, ({ channel }) => this.listener.reset(channel))),
    );
    socket.on('revoked', (frame: unknown) =>
      this.#inOrder.run(() => this.#named('revoked', frame, ({ channel }) => this.listener.revoked(channel))),
    );
    // Ephemeral: one that cannot be read is as if it had not come.
    socket.on('signal', (frame: unknown) => isSignal(frame) && this.listener.signal(frame));
    socket.on('pace', (frame: unknown) => (isPace(frame) ? this.listener.pace(frame) : this.#unreadable('pace')));
    socket.on('draining', (frame: Draining) => this.listener.draining(frame));
    socket.on('pong', (frame: Pong) => this.listener.pong(frame));
  }

  #messages(frame: unknown, bytes: number): void {
    if (this.#ended) return;
    if (isMessagesFrame(frame)) this.listener.messages(frame, bytes);
    else this.#unreadable('messages');
  }

  #named(event: string, frame: unknown, tell: (frame: { channel: string }) => void): void {
    if (this.#ended) return;
    if (namesChannel(frame)) tell(frame);
    else this.#unreadable(event);
  }

  #deflated(frame: unknown): void {
    if (!isDeflatedFrame(frame)) return this.#unreadable('deflated');
    this.#inOrder.runAfter(
      inflate(frame.data),
      (json) => this.#messages(JSON.parse(json), json.length),
      () => this.#unreadable('deflated'),
    );
  }

  /** Nothing after a frame that makes no sense may be applied: come back and read on from what is stored. */
  #unreadable(event: string): void {
    this.end(clientError('frame_unreadable', `The server sent a "${event}" that this client cannot read.`));
  }
}
