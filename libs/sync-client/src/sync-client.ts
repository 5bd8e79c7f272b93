import type { Message, MessagesFrame, Pace, Signal, Signalled, SyncRequest, WireError } from '@soleil/sync-protocol';
import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import { Acknowledger } from './acknowledger.js';
import { backoffMs } from './backoff.js';
import { emptySnapshot, type ChannelSnapshot, type Circumstances } from './channel-view.js';
import { clientError, SyncClientError } from './client-error.js';
import { defaultTimings, systemClock, type Clock, type Timings } from './clock.js';
import { Connection, type ConnectionSnapshot, type TokenSource } from './connection.js';
import { isOpen, type ConnectionState } from './connection-state.js';
import { FollowedChannel } from './followed-channel.js';
import { Listeners } from './listeners.js';
import { MemoryStore } from './memory-store.js';
import { Reporter, type Holdings } from './reporter.js';
import { Signaller } from './signaller.js';
import type { SyncStore } from './store.js';
import { systemSurroundings, type Surroundings } from './surroundings.js';
import type { SyncSocket } from './sync-socket.js';

export interface SyncClientOptions {
  /** Of the server; the namespace `/sync` is added. */
  url: string;
  /** A function is asked before every attempt to connect. */
  token: TokenSource;
  /** Default: a new {@link MemoryStore}. The client closes it. */
  store?: SyncStore;
  /** Default: the store's. */
  deviceId?: string;
  /** What the others in the band may call this device: "iPad". At most 40 characters. Default: none. */
  deviceName?: string;
  /** For Socket.IO: a path, other transports, headers. */
  socketOptions?: Partial<ManagerOptions & SocketOptions>;
  clock?: Clock;
  /** @returns from 0 up to, not including, 1 */
  random?: () => number;
  surroundings?: Surroundings;
  timings?: Partial<Timings>;
}

export type MessageListener = (channel: string, message: Message, circumstances: Circumstances) => void;

/**
 * The device's half of SOLEil Sync. It follows channels: what the store has is there at once, what was missed comes with the
 * connection, what happens comes live, and after every interruption it goes on where the store ends.
 */
export class SyncClient {
  readonly #store: SyncStore;
  readonly #deviceId: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #timings: Timings;
  readonly #connection: Connection;
  readonly #acknowledger: Acknowledger;
  readonly #reporter: Reporter;
  readonly #signaller = new Signaller();
  readonly #signals = new Listeners<[Signalled]>();
  readonly #channels = new Map<string, FollowedChannel>();
  readonly #empty = new Map<string, ChannelSnapshot>();
  readonly #messages = new Listeners<Parameters<MessageListener>>();
  readonly #changes = new Map<string, Listeners>();
  #socket: SyncSocket | null = null;
  readonly #cancelRetries = new Set<() => void>();
  #closing: Promise<void> | null = null;

  constructor(options: SyncClientOptions) {
    const { url, token, store = new MemoryStore(), socketOptions = {}, clock = systemClock, random = Math.random } = options;
    const { deviceId = store.deviceId, deviceName, surroundings = systemSurroundings } = options;
    this.#store = store;
    this.#deviceId = deviceId;
    this.#clock = clock;
    this.#random = random;
    this.#timings = { ...defaultTimings, ...options.timings };
    this.#acknowledger = new Acknowledger(clock, (channel, offset) => this.#socket?.say('ack', { channel, offset }));
    this.#reporter = new Reporter(clock, (error, call) => this.#retryLater(error, call));
    this.#connection = new Connection(
      {
        url,
        token,
        deviceId,
        deviceName,
        durable: store.durable,
        socketOptions,
        clock,
        random,
        surroundings,
        timings: this.#timings,
      },
      {
        opened: (socket) => this.#opened(socket),
        leaving: () => this.#acknowledger.flush(),
        ended: () => this.#ended(),
        pace: (pace: Pace) => this.#acknowledger.setPace(pace),
        messages: (frame: MessagesFrame, bytes: number) => this.#channels.get(frame.channel)?.receive(frame, bytes),
        reset: (channel) => {
          this.#channels.get(channel)?.reset();
          this.#reporter.forgetTold(channel);
        },
        revoked: (channel) => this.#channels.get(channel)?.revoked(),
        signal: (signal) => this.#signals.tell(signal),
      },
    );
  }

  /** Connects, and stays connected until `disconnect` or `close`. Also the way back from `refused`. */
  connect(): void {
    this.#connection.connect();
  }

  /** Rests in `offline` until `connect`. What is stored and not yet acknowledged is acknowledged before. */
  disconnect(): void {
    this.#connection.disconnect();
  }

  /** Ends for good, once everything that came is stored, and lets go of the store. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Follows a channel until `unfollow`; again for one that was revoked: asks again. Works before `connect`. */
  follow(channel: string): void {
    let followed = this.#channels.get(channel);
    if (followed === undefined) {
      followed = this.#newChannel(channel);
      this.#channels.set(channel, followed);
      if (this.#socket !== null) followed.attach(this.#socket);
    }
    followed.follow();
    this.#checkCaughtUp();
  }

  /** Stops receiving; what is stored stays, and `follow` goes on from there. */
  unfollow(channel: string): void {
    this.#channels.get(channel)?.unfollow();
    this.#checkCaughtUp();
  }

  /** Unfollows and removes what is stored of the channel. */
  async forget(channel: string): Promise<void> {
    this.unfollow(channel);
    this.#reporter.drop(channel);
    const followed = this.#channels.get(channel);
    await (followed === undefined ? this.#store.forget(channel) : followed.forget());
  }

  /**
   * Tells the server which of a channel's files are on this device, for those who want to know whether it is ready. To be
   * called whenever that has changed, with the whole of it; what the server knows already is not sent again.
   *
   * @param holdings by key, the SHA-256 of bytes that were verified, hex; null for a file that is not here
   */
  report(channel: string, holdings: Holdings): void {
    this.#reporter.report(channel, holdings);
  }

  /** What this client goes by at the server. */
  get deviceId(): string {
    return this.#deviceId;
  }

  /** The channels the store holds: what to follow on a page that opens without a network. */
  knownChannels(): Promise<string[]> {
    return this.#store.channels();
  }

  /** A channel as it may be shown now. One that nobody follows is empty and `stale`. */
  channel(name: string): ChannelSnapshot {
    const followed = this.#channels.get(name);
    if (followed !== undefined) return followed.snapshot;
    let snapshot = this.#empty.get(name);
    if (snapshot === undefined) this.#empty.set(name, (snapshot = emptySnapshot(name)));
    return snapshot;
  }

  /** Tells whenever `channel(name)` has become another. @returns what ends it */
  subscribe(name: string, listener: () => void): () => void {
    let listeners = this.#changes.get(name);
    if (listeners === undefined) this.#changes.set(name, (listeners = new Listeners()));
    return listeners.add(listener);
  }

  get connection(): ConnectionSnapshot {
    return this.#connection.snapshot;
  }

  /** Tells whenever `connection` has become another. @returns what ends it */
  subscribeConnection(listener: () => void): () => void {
    return this.#connection.subscribe(listener);
  }

  /**
   * Tells each message once for as long as the store lives, in the order of its channel, after it was stored. A page that
   * dies between storing and telling does not tell; what the message did to the rows is there all the same.
   * @returns what ends it
   */
  onMessage(listener: MessageListener): () => void {
    return this.#messages.add(listener);
  }

  /**
   * Tells whoever follows a channel that this device follows, now: a turned page, who is there. Of one type and key only the
   * latest counts. Without a connection nothing happens, and nothing is sent later. Data is at most 4 KiB of JSON.
   */
  signal(signal: Signal): void {
    this.#signaller.send(signal);
  }

  /** Tells each signal that others, or the server, send into a followed channel. @returns what ends it */
  onSignal(listener: (signal: Signalled) => void): () => void {
    return this.#signals.add(listener);
  }

  /** Asks the server to look for changes. @throws SyncClientError the server's reason, or `not_connected` */
  async requestSync(request: SyncRequest): Promise<{ operationId: string }> {
    if (this.#socket === null)
      throw new SyncClientError(clientError('not_connected', 'There is no connection to the server.'));
    const answer = await this.#socket.ask('sync_request', request);
    if (!answer.ok) throw new SyncClientError(answer.error);
    return { operationId: answer.operationId };
  }

  /** Resolves when the connection is in this state. @throws SyncClientError `not_connected` when the client is closed first */
  waitFor(state: ConnectionState): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): boolean => {
        const now = this.connection.state;
        if (now === state) resolve();
        else if (now === 'closed')
          reject(new SyncClientError(clientError('not_connected', `The client was closed before it was ${state}.`)));
        return now === state || now === 'closed';
      };
      if (check()) return;
      const stop = this.subscribeConnection(() => {
        if (check()) stop();
      });
    });
  }

  async #close(): Promise<void> {
    this.#connection.close();
    await Promise.all([...this.#channels.values()].map((channel) => channel.idle()));
    await this.#store.close();
  }

  #newChannel(name: string): FollowedChannel {
    return new FollowedChannel(name, {
      store: this.#store,
      committed: (channel, offset, bytes) => this.#acknowledger.committed(channel, offset, bytes),
      subscriptionOver: (channel) => this.#acknowledger.drop(channel),
      message: (...told) => this.#messages.tell(...told),
      changed: (channel) => {
        this.#changes.get(channel)?.tell();
        this.#checkCaughtUp();
      },
      failed: (error) => this.#connection.cut(error),
      retryLater: (error, call) => this.#retryLater(error, call),
    });
  }

  #opened(socket: SyncSocket): void {
    this.#socket = socket;
    for (const channel of this.#channels.values()) channel.attach(socket);
    this.#reporter.attach(socket);
    this.#signaller.attach(socket);
    this.#checkCaughtUp();
  }

  #ended(): void {
    this.#socket = null;
    this.#reporter.detach();
    this.#signaller.detach();
    this.#acknowledger.dropAll();
    for (const cancel of this.#cancelRetries) cancel();
    this.#cancelRetries.clear();
    for (const channel of this.#channels.values()) channel.detach();
  }

  #checkCaughtUp(): void {
    if (this.#socket === null || !isOpen(this.connection.state)) return;
    this.#connection.setCaughtUp(![...this.#channels.values()].some((channel) => channel.isBehind));
  }

  #retryLater(error: WireError, call: () => void): void {
    const { backoffMinMs, backoffMaxMs } = this.#timings;
    const asked = typeof error.details?.retryAfterMs === 'number' ? error.details.retryAfterMs : 0;
    const delayMs = Math.max(asked, backoffMs(2, backoffMinMs, backoffMaxMs, this.#random));
    const cancel = this.#clock.after(delayMs, () => {
      this.#cancelRetries.delete(cancel);
      call();
    });
    this.#cancelRetries.add(cancel);
  }
}
