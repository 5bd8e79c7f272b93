import type { Message, MessagesFrame, Position, SubscribeAnswer, WireError } from '@soleil/sync-protocol';
import { readFrame } from './channel-reader.js';
import { clientError } from './client-error.js';
import { ChannelView, type ChannelSnapshot, type Circumstances } from './channel-view.js';
import { outcomeOf, type Row, type SyncStore } from './store.js';
import type { SyncSocket } from './sync-socket.js';

/** Of a connection what a channel uses. */
export type ChannelSocket = Pick<SyncSocket, 'ask'>;

/** What a channel needs of the client around it. */
export interface ChannelSurroundings {
  store: SyncStore;
  /** Calls back after a delay fit for asking a server again. */
  retryLater(error: WireError, call: () => void): void;
  committed(channel: string, offset: number, bytes: number): void;
  /** What was committed may no longer be acknowledged: the subscription it belongs to is over. */
  subscriptionOver(channel: string): void;
  /** Once per store and message, in order, after it was stored. */
  message(channel: string, message: Message, circumstances: Circumstances): void;
  /** The snapshot is another one. */
  changed(channel: string): void;
  /** Nothing more can be applied on this connection. */
  failed(error: WireError): void;
}

/** From one `subscribe` to its end. Frames belong to the one under which they came; those of an older one are dropped. */
interface Subscription {
  socket: ChannelSocket;
  /** Where the channel stood then; null until the answer is here. */
  head: number | null;
  /** Something of it was applied. */
  advanced: boolean;
  /** Its answer lies behind what we have: only a `reset` can follow. */
  expectsReset: boolean;
  /** It brings the channel's state, from nothing; until the head. */
  initial: boolean;
  /** Show nothing before the head: a step was cut off, or a new history replaces the old one. */
  hold: boolean;
  /** The step of its last frame goes on. */
  inStep: boolean;
}

/**
 * One channel on this device. Everything that happens to it goes through one queue, strictly one after another, because
 * every step ends in a store that takes its time; so a reset never overtakes the frames before it, nor a new subscription.
 */
export class FollowedChannel {
  #wanted = false;
  #loaded = false;
  #position: Position | null = null;
  #midStep = false;
  /** Where the step ends that was begun; null once that is reached. */
  #until: Position | null = null;
  #socket: ChannelSocket | null = null;
  #subscription: Subscription | null = null;
  #left: Promise<unknown> = Promise.resolve();
  #queue: Promise<void> = Promise.resolve();
  readonly #view: ChannelView;

  constructor(
    readonly name: string,
    private readonly around: ChannelSurroundings,
  ) {
    this.#view = new ChannelView(name, {
      message: (message, circumstances) => around.message(name, message, circumstances),
      changed: () => around.changed(name),
    });
  }

  get snapshot(): ChannelSnapshot {
    return this.#view.snapshot;
  }

  /** Wanted, and not there yet. A revoked channel holds nobody up: there is nothing to wait for. */
  get isBehind(): boolean {
    return this.#wanted && this.#view.state !== 'live' && this.#view.state !== 'revoked';
  }

  /** Starts to follow; for a revoked channel, asks again. */
  follow(): void {
    if (this.#wanted && this.#view.state !== 'revoked') return;
    this.#wanted = true;
    this.#view.setState('stale');
    this.#enqueue(() => this.#load());
    if (this.#socket !== null) this.#startOver(this.#socket);
  }

  unfollow(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#leave();
    this.#view.setState('stale');
  }

  /** Unfollows and removes what is stored. */
  forget(): Promise<void> {
    this.unfollow();
    this.#enqueue(() => this.#erase('stale'));
    return this.idle();
  }

  /** A connection is there. */
  attach(socket: ChannelSocket): void {
    this.#socket = socket;
    this.#left = Promise.resolve();
    if (this.#wanted && this.#view.state !== 'revoked') this.#startOver(socket);
  }

  /** It is gone. What came over it before is still applied: it is true, and the next subscription goes on from there. */
  detach(): void {
    this.#socket = null;
    if (this.#view.state !== 'revoked') this.#view.setState('stale');
  }

  receive(frame: MessagesFrame, bytes: number): void {
    this.#enqueueFor(this.#subscription, (subscription) => this.#read(subscription, frame, bytes));
  }

  reset(): void {
    this.#enqueueFor(this.#subscription, (subscription) => this.#reset(subscription));
  }

  revoked(): void {
    this.#enqueueFor(this.#subscription, () => this.#revoke());
  }

  /** Resolves when everything that came is stored. */
  idle(): Promise<void> {
    return this.#queue;
  }

  #enqueue(task: () => Promise<void> | void): void {
    this.#queue = this.#queue.then(task).catch((cause: unknown) => {
      this.#loaded = false;
      this.#subscription = null;
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.around.failed(clientError('store_failed', `What came for ${this.name} could not be stored: ${reason}`));
    });
  }

  #enqueueFor(subscription: Subscription | null, task: (subscription: Subscription) => Promise<void> | void): void {
    if (subscription === null) return;
    this.#enqueue(() => (subscription === this.#subscription ? task(subscription) : undefined));
  }

  /** Once; again after the store failed, to see what it has and what not. */
  async #load(): Promise<void> {
    if (this.#loaded) return;
    const stored = await this.around.store.load(this.name);
    this.#loaded = true;
    if (stored?.position.offset === this.#position?.offset) return;
    this.#position = stored?.position ?? null;
    this.#midStep = stored?.midStep ?? false;
    this.#until = stored?.until ?? null;
    this.#view.load(stored?.rows ?? new Map<string, Row>(), this.#position);
  }

  #startOver(socket: ChannelSocket): void {
    this.#view.setState('catching_up');
    this.#enqueue(() => this.#subscribe(socket));
  }

  async #subscribe(socket: ChannelSocket): Promise<void> {
    await this.#load();
    await this.#left;
    if (socket !== this.#socket || !this.#wanted) return;
    const position = this.#position;
    const subscription: Subscription = {
      socket,
      head: null,
      advanced: false,
      expectsReset: false,
      initial: position === null,
      hold: this.#midStep || this.#view.isReplacing,
      inStep: false,
    };
    this.#subscription = subscription;
    const answered = (answer: SubscribeAnswer): void =>
      this.#enqueueFor(subscription, () => this.#answered(subscription, answer));
    const from = { ...(position === null ? {} : { position }), ...(this.#until === null ? {} : { until: this.#until }) };
    // Where it fails, the connection ended: the next one subscribes again.
    socket.ask('subscribe', { channel: this.name, ...from }, answered).catch(() => undefined);
  }

  async #answered(subscription: Subscription, answer: SubscribeAnswer): Promise<void> {
    if (answer.ok) {
      subscription.head = answer.head;
      if (answer.head === 0 && this.#position === null) await this.#beginAt({ epoch: answer.epoch, offset: 0 });
      subscription.expectsReset = !subscription.advanced && (this.#position?.offset ?? 0) > answer.head;
      return this.#settle(subscription);
    }
    if (answer.error.code === 'channel_forbidden') return this.#revoke();
    if (answer.error.code === 'already_subscribed') return this.#resubscribe(subscription);
    this.#subscription = null;
    this.#view.setState('stale', answer.error);
    if (!answer.error.retryable) return;
    this.around.retryLater(answer.error, () => {
      if (this.#socket === subscription.socket && this.#subscription === null && this.#wanted)
        this.#startOver(subscription.socket);
    });
  }

  /** A channel without messages has no state to bring; whatever comes from here on is for this device, events too. */
  async #beginAt(position: Position): Promise<void> {
    await this.around.store.apply(this.name, { position, midStep: false, until: null, upserts: [], deletions: [] });
    this.#position = position;
  }

  async #read(subscription: Subscription, frame: MessagesFrame, bytes: number): Promise<void> {
    const reading = readFrame(this.#position?.offset ?? 0, frame);
    if (reading.kind === 'duplicate') {
      // A step may end with a frame that brings nothing new.
      if (frame.to === this.#position?.offset && frame.more === undefined) this.#midStep = subscription.inStep = false;
      return this.#settle(subscription);
    }
    if (reading.kind === 'gap') {
      if (subscription.advanced) return this.#resubscribe(subscription);
      this.#subscription = null;
      const message = `The first frame of ${this.name} begins at ${frame.from}, not at ${reading.missingFrom}.`;
      return this.around.failed(clientError('frame_unreadable', message));
    }
    const { position, messages } = reading;
    const circumstances = { live: this.#view.state === 'live', initial: subscription.initial };
    const midStep =
      reading.midStep || (subscription.hold && (subscription.head === null || position.offset < subscription.head));
    const begun = this.#until !== null && position.offset < this.#until.offset ? this.#until : null;
    const until = reading.until ?? begun;
    if (!(await this.around.store.apply(this.name, { position, midStep, until, ...outcomeOf(messages) }))) {
      throw new Error('the store is further than this client. Is another one using it?');
    }
    this.#position = position;
    this.#midStep = midStep;
    this.#until = until;
    subscription.advanced = true;
    subscription.inStep = reading.midStep;
    this.#view.stage(messages, circumstances);
    if (subscription === this.#subscription && subscription.socket === this.#socket) {
      this.around.committed(this.name, position.offset, bytes);
    }
    this.#settle(subscription);
  }

  async #reset(subscription: Subscription): Promise<void> {
    await this.around.store.forget(this.name);
    this.#position = null;
    this.#midStep = false;
    this.#until = null;
    this.#view.replace();
    this.around.subscriptionOver(this.name);
    // After the answer, its head is another history's: ask where this one stands.
    if (subscription.head !== null || subscription.advanced) return this.#resubscribe(subscription);
    subscription.initial = true;
    subscription.hold = true;
    subscription.expectsReset = false;
    this.#settle(subscription);
  }

  async #revoke(): Promise<void> {
    this.#subscription = null;
    this.around.subscriptionOver(this.name);
    await this.#erase('revoked');
  }

  async #erase(state: 'stale' | 'revoked'): Promise<void> {
    await this.around.store.forget(this.name);
    this.#position = null;
    this.#midStep = false;
    this.#until = null;
    this.#view.clear(state);
  }

  /** Shows what may be shown. */
  #settle(subscription: Subscription): void {
    const offset = this.#position?.offset ?? 0;
    const { head, expectsReset } = subscription;
    const reachedHead = head !== null && !expectsReset && offset >= head;
    if (reachedHead) subscription.initial = false;
    if (reachedHead && subscription.hold) {
      subscription.hold = false;
      this.#midStep = subscription.inStep;
    }
    if (!this.#midStep && !subscription.hold) this.#view.publish(this.#position);
    if (subscription !== this.#subscription || subscription.socket !== this.#socket) return;
    this.#view.setState(reachedHead && !this.#midStep ? 'live' : 'catching_up');
  }

  #resubscribe(subscription: Subscription): void {
    this.#leave();
    this.#startOver(subscription.socket);
  }

  /** Ends the subscription; frames still on their way are dropped, and the next subscription waits for the server's word. */
  #leave(): void {
    const subscription = this.#subscription;
    this.#subscription = null;
    if (subscription === null) return;
    this.around.subscriptionOver(this.name);
    if (subscription.socket !== this.#socket) return;
    this.#left = subscription.socket.ask('unsubscribe', { channel: this.name }).catch(() => undefined);
  }
}
