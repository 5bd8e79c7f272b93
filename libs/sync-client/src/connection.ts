import type { Draining, WireError } from '@soleil/sync-protocol';
import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import { backoffMs } from './backoff.js';
import { clientError, isAboutToken } from './client-error.js';
import type { Clock, Timings } from './clock.js';
import { isOpen, nextState, type ConnectionEvent, type ConnectionState } from './connection-state.js';
import { Heartbeat } from './heartbeat.js';
import { Listeners } from './listeners.js';
import type { Surroundings } from './surroundings.js';
import { SyncSocket, type SocketListener } from './sync-socket.js';

/** How the connection is; the same object until something changes. Times are milliseconds since the epoch of Unix. */
export interface ConnectionSnapshot {
  readonly state: ConnectionState;
  /** When this state began. */
  readonly since: number;
  /** Failed attempts in a row; 0 once connected. */
  readonly attempt: number;
  /** When the next attempt comes by itself; null where none is planned. */
  readonly retryAt: number | null;
  /** Why there is no connection; null while there is one, or nothing went wrong. */
  readonly error: WireError | null;
  /** The last moment this client knew that it had everything; while `live`, that is now. Null: never since it was made. */
  readonly lastSyncedAt: number | null;
  /** From the last `ping` to its `pong`. */
  readonly latencyMs: number | null;
}

/** A token, or what gets one: asked before every attempt, so that a renewed one is used. */
export type TokenSource = string | (() => string | Promise<string>);

export interface ConnectionOptions {
  url: string;
  token: TokenSource;
  deviceId: string;
  deviceName: string | undefined;
  durable: boolean;
  socketOptions: Partial<ManagerOptions & SocketOptions>;
  clock: Clock;
  /** @returns from 0 up to, not including, 1 */
  random: () => number;
  surroundings: Surroundings;
  timings: Timings;
}

/** What the frames of a connection are for. */
export type FrameHandlers = Pick<SocketListener, 'pace' | 'messages' | 'reset' | 'revoked' | 'signal'> & {
  opened(socket: SyncSocket): void;
  /** We are about to end a connection that works: the last moment to say something. */
  leaving(): void;
  /** Nothing of that socket comes any more. */
  ended(): void;
};

/** Keeps one connection up for as long as it is wanted: attempts, backoff, heartbeat. The states are `connection-state.ts`. */
export class Connection {
  readonly #namespaceUrl: string;
  #snapshot: ConnectionSnapshot;
  #socket: SyncSocket | null = null;
  #failures = 0;
  /** The server asked not to be bothered sooner. */
  #notBefore = 0;
  /** A token from a function that was refused: the same one again would be refused again. */
  #refused: { token: string; error: WireError } | null = null;
  #cancelAttempt = noop;
  #cancelRetry = noop;
  #cancelStable = noop;
  #cancelDrain = noop;
  #unwatch = noop;
  readonly #changed = new Listeners();
  readonly #heartbeat: Heartbeat;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly handlers: FrameHandlers,
  ) {
    this.#namespaceUrl = new URL('/sync', options.url).href;
    const { clock, timings, surroundings } = options;
    this.#snapshot = {
      state: 'offline',
      since: clock.now(),
      attempt: 0,
      retryAt: null,
      error: null,
      lastSyncedAt: null,
      latencyMs: null,
    };
    this.#heartbeat = new Heartbeat(clock, timings, {
      isVisible: () => surroundings.isVisible(),
      probe: () => this.#socket?.say('ping', { t: clock.now() }),
      giveUp: () =>
        this.cut(clientError('connection_silent', `The server said nothing for ${timings.silenceMs} ms after a ping.`)),
    });
  }

  get snapshot(): ConnectionSnapshot {
    return this.#snapshot;
  }

  /** @returns what ends it */
  subscribe(listener: () => void): () => void {
    return this.#changed.add(listener);
  }

  connect(): void {
    if (this.#snapshot.state === 'closed') return;
    if (this.#unwatch === noop) this.#unwatch = this.options.surroundings.watch((what) => this.#surroundingsChanged(what));
    this.#refused = null;
    this.#notBefore = 0;
    this.#handle('connect');
  }

  disconnect(): void {
    this.#rest('disconnect');
  }

  close(): void {
    this.#rest('close');
  }

  /** Ends the present connection for this reason; the next attempt follows. */
  cut(error: WireError): void {
    this.#socket?.end(error);
  }

  /** Whether every wanted channel has reached its head. */
  setCaughtUp(caughtUp: boolean): void {
    this.#handle(caughtUp ? 'reached_head' : 'fell_behind');
  }

  #rest(event: 'disconnect' | 'close'): void {
    this.#unwatch();
    this.#unwatch = noop;
    if (isOpen(this.#snapshot.state)) this.handlers.leaving();
    this.#dropSocket();
    this.#cancelRetry();
    this.#handle(event, { attempt: 0, error: null });
  }

  #handle(event: ConnectionEvent, change: Partial<ConnectionSnapshot> = {}): void {
    const before = this.#snapshot;
    const state = nextState(before.state, event);
    if (state === before.state) return;
    const now = this.options.clock.now();
    const lastSyncedAt =
      state === 'live' ? now : before.state === 'live' ? this.#heartbeat.lastHeardAt : before.lastSyncedAt;
    this.#snapshot = { ...before, retryAt: null, ...change, state, since: now, lastSyncedAt };
    if (state === 'connecting') void this.#attempt();
    this.#changed.tell();
  }

  async #attempt(): Promise<void> {
    const { clock, timings, token: source } = this.options;
    this.#cancelRetry();
    let over = false;
    const giveUp = clock.after(timings.connectTimeoutMs, () =>
      this.#lose(clientError('connection_lost', `No connection within ${timings.connectTimeoutMs} ms.`)),
    );
    this.#cancelAttempt = () => {
      over = true;
      giveUp();
    };
    let token: string;
    try {
      token = typeof source === 'string' ? source : await source();
    } catch (cause) {
      if (!over)
        this.#lose(
          clientError(
            'token_unavailable',
            `No token could be had: ${cause instanceof Error ? cause.message : String(cause)}`,
          ),
        );
      return;
    }
    if (over) return;
    if (this.#refused?.token === token) return this.#refuse(this.#refused.error);
    this.#open(token);
  }

  #open(token: string): void {
    const { deviceId, deviceName, durable, socketOptions, timings, clock } = this.options;
    const { pace, messages, reset, revoked, signal } = this.handlers;
    const target = {
      url: this.#namespaceUrl,
      token,
      deviceId,
      deviceName,
      durable,
      options: socketOptions,
      answerTimeoutMs: timings.answerTimeoutMs,
    };
    const socket = new SyncSocket(target, clock, {
      opened: () => this.#opened(socket),
      ended: (error, reconnect) => this.#ended(token, error, reconnect),
      heard: () => this.#heartbeat.heard(),
      draining: (draining) => this.#drain(draining),
      pong: ({ t }) => this.#update({ latencyMs: Math.max(0, clock.now() - t) }),
      pace,
      messages,
      reset,
      revoked,
      signal,
    });
    this.#socket = socket;
  }

  #opened(socket: SyncSocket): void {
    const { clock, timings } = this.options;
    this.#cancelAttempt();
    this.#notBefore = 0;
    this.#cancelStable = clock.after(timings.stableAfterMs, () => (this.#failures = 0));
    this.#heartbeat.start();
    this.#handle('opened', { attempt: 0, error: null });
    this.handlers.opened(socket);
  }

  #ended(token: string, error: WireError, reconnect: boolean): void {
    if (reconnect) return this.#lose(error);
    const anotherMayDo = typeof this.options.token === 'function' && isAboutToken(error) && this.#refused === null;
    if (!anotherMayDo) return this.#refuse(error);
    this.#refused = { token, error };
    this.#lose(error);
  }

  #refuse(error: WireError): void {
    this.#dropSocket();
    this.#refused = null;
    this.#handle('refused', { error });
  }

  #lose(error: WireError): void {
    const { clock, timings, random, surroundings } = this.options;
    this.#dropSocket();
    const now = clock.now();
    const asked = typeof error.details?.retryAfterMs === 'number' ? error.details.retryAfterMs : 0;
    this.#notBefore = Math.max(this.#notBefore, now + asked);
    const delayMs = backoffMs(this.#failures, timings.backoffMinMs, timings.backoffMaxMs, random);
    this.#failures += 1;
    const retryAt = this.#notBefore > now ? this.#notBefore : now + delayMs;
    this.#cancelRetry();
    this.#cancelRetry = clock.after(retryAt - now, () => this.#handle('retry'));
    this.#handle(surroundings.isOnline() ? 'lost' : 'network_lost', { error, attempt: this.#failures, retryAt });
  }

  /** The server is about to stop. Stay for as long as it lets us, and come back at the time it gave us. */
  #drain({ retryAfterMs }: Draining): void {
    const { clock } = this.options;
    this.#notBefore = clock.now() + retryAfterMs;
    this.#cancelDrain();
    this.#cancelDrain = clock.after(retryAfterMs, () => {
      this.handlers.leaving();
      this.cut(clientError('connection_lost', 'The server asked for a new connection.'));
      this.#handle('retry');
    });
  }

  #dropSocket(): void {
    this.#cancelAttempt();
    this.#cancelStable();
    this.#cancelDrain();
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = null;
    socket?.leave();
    if (isOpen(this.#snapshot.state)) this.handlers.ended();
  }

  #surroundingsChanged(what: 'online' | 'offline' | 'visible'): void {
    if (isOpen(this.#snapshot.state)) return this.#heartbeat.probe();
    if (what === 'offline' || this.options.clock.now() < this.#notBefore) return;
    this.#handle('network_back');
  }

  #update(change: Partial<ConnectionSnapshot>): void {
    const keys = Object.keys(change) as (keyof ConnectionSnapshot)[];
    if (keys.every((key) => this.#snapshot[key] === change[key])) return;
    this.#snapshot = { ...this.#snapshot, ...change };
    this.#changed.tell();
  }
}

function noop(): void {}
