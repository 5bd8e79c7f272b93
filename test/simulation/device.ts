import {
  MemoryStore,
  SyncClient,
  type ChannelAdvance,
  type Row,
  type StoredChannel,
  type SyncStore,
} from '@soleil/sync-client';
import type { Message, Position } from '@soleil/sync-protocol';
import type { Random } from '../chaos/random.js';
import { transportOver, type End, type Line } from './line.js';
import { isSame, type Model } from './model.js';
import { Lane, party, type Party, type Schedule } from './schedule.js';

/** What a device meets outside of itself. */
export interface Outside {
  schedule: Schedule;
  random: Random;
  model: Model;
  connect(device: Party, client: End): Line;
  logIn(userId: string): string;
  failed(error: Error): void;
}

/** What an application on the device was shown of one channel. */
interface Shown {
  /** The same object until something else is shown. */
  position: Position | null;
  /** Where the next step goes on from; null: it brings the state. */
  from: Position | null;
  /** Told since the last step. */
  told: Message[];
}

/** A device: the product's client with a store that outlives it, and an application that looks closely. */
export class SimulatedDevice {
  client!: SyncClient;
  line: Line | null = null;
  private isDeafToAcks = false;
  private store: MemoryStore;
  private stores = 0;
  private me = party('');
  session: string;
  private readonly shown = new Map<string, Shown>();
  /** Positions that the store had: what is shown at one of them was told before. */
  private readonly loaded = new WeakSet<Position>();
  readonly followed: Set<string>;

  constructor(
    readonly name: string,
    readonly userId: string,
    readonly channels: readonly string[],
    private readonly outside: Outside,
  ) {
    this.session = outside.logIn(userId);
    this.store = this.newStore();
    this.followed = new Set(channels);
  }

  /** Starts the client, with what the store has: at first, or as a page that is loaded anew. */
  async start(): Promise<void> {
    this.me.isGone = true;
    this.line?.cut();
    const me = (this.me = party(this.name));
    this.shown.clear();
    const { schedule, random, connect } = this.outside;
    const store = new SteppedStore(this.store, schedule, me, {
      loaded: ({ position }) => this.loaded.add(position),
      forgotten: (channel) => Object.assign(this.of(channel), { from: null, told: [] }),
    });
    const transport = transportOver((end) => {
      this.line = connect(me, end);
      this.line.isDeafToAcks = this.isDeafToAcks;
      return this.line;
    });
    await schedule.as(me, () => {
      this.client = new SyncClient({
        url: 'http://simulated.invalid',
        token: () => this.session,
        store,
        random: () => random.next(),
        socketOptions: { transports: [transport] },
      });
      this.client.onMessage((channel, message) => me === this.me && this.of(channel).told.push(message));
      for (const channel of this.channels) this.client.subscribe(channel, () => this.looked(channel, me));
      for (const channel of this.followed) this.client.follow(channel);
      this.client.connect();
    });
  }

  /** As a device that was never here. */
  async loseStore(): Promise<void> {
    this.store = this.newStore();
    await this.start();
  }

  /** Its store was somebody else's, or was made up: it begins anew from there. */
  async stand(channel: string, { position, upserts }: { position: Position; upserts: readonly Row[] }): Promise<void> {
    this.me.isGone = true;
    await this.store.forget(channel);
    await this.store.apply(channel, { position, midStep: false, until: null, upserts, deletions: [] });
    await this.start();
  }

  async follow(channel: string): Promise<void> {
    this.followed.add(channel);
    await this.outside.schedule.as(this.me, () => this.client.follow(channel));
  }

  async unfollow(channel: string): Promise<void> {
    this.followed.delete(channel);
    await this.outside.schedule.as(this.me, () => this.client.unfollow(channel));
  }

  /** Its acknowledgements are lost on the way. */
  setDeafToAcks(isDeaf: boolean): void {
    this.isDeafToAcks = isDeaf;
    if (this.line) this.line.isDeafToAcks = isDeaf;
  }

  /** Whoever was signed out signs in again, and asks for channels that were taken from it and given back. */
  async recover(mayFollow: (channel: string) => boolean): Promise<void> {
    if (this.client.connection.state === 'refused') {
      this.session = this.outside.logIn(this.userId);
      await this.outside.schedule.as(this.me, () => this.client.connect());
    }
    for (const channel of this.followed)
      if (mayFollow(channel) && this.client.channel(channel).state === 'revoked') await this.follow(channel);
  }

  /** What is missing, in words; null: it has everything that is its due. */
  incomplete(mayFollow: (channel: string) => boolean): string | null {
    const { state } = this.client.connection;
    if (state !== 'live') return `${this.name} is ${state}`;
    for (const channel of this.followed) {
      const { state, position, rows } = this.client.channel(channel);
      const head = this.outside.model.head(channel);
      const ids = new Map([...rows].map(([key, { id }]) => [key, id]));
      if (!mayFollow(channel)) {
        if (state !== 'revoked' || rows.size > 0) return `${this.name} keeps ${channel}, which is none of its`;
      } else if (state !== 'live' || !this.outside.model.isAllTold(channel, position)) {
        return `${this.name} is ${state} at ${position?.offset} of ${channel}, which stands at ${head.offset}`;
      } else if (!isSame(ids, this.outside.model.state(channel, head))) {
        return `${this.name} shows ${channel} wrongly`;
      }
    }
    return null;
  }

  private newStore(): MemoryStore {
    return new MemoryStore(`${this.name.replace(' ', '-')}-${(this.stores += 1)}`);
  }

  private of(channel: string): Shown {
    let shown = this.shown.get(channel);
    if (!shown) this.shown.set(channel, (shown = { position: null, from: null, told: [] }));
    return shown;
  }

  /** The channel's snapshot is another one. Where its position is, too, a step was shown. */
  private looked(channel: string, me: Party): void {
    if (me !== this.me) return;
    const { position, rows } = this.client.channel(channel);
    const shown = this.of(channel);
    if (position === shown.position) return;
    const { from, told } = shown;
    this.shown.set(channel, { position, from: position, told: [] });
    if (!position || this.loaded.has(position)) return;
    const ids = new Map([...rows].map(([key, { id }]) => [key, id]));
    try {
      this.outside.model.check({ userId: this.userId, channel, from, to: position, told, rows: ids });
    } catch (error) {
      this.outside.failed(new Error(`${this.name}, ${channel}: ${(error as Error).message}`));
    }
  }
}

/** A store whose every answer takes its time, so that a device may die between storing and showing. */
class SteppedStore implements SyncStore {
  readonly deviceId: string;
  readonly durable = true;
  private readonly lane: Lane;

  constructor(
    private readonly store: MemoryStore,
    private readonly schedule: Schedule,
    me: Party,
    private readonly tell: {
      loaded(stored: StoredChannel): void;
      forgotten(channel: string): void;
    },
  ) {
    this.deviceId = store.deviceId;
    this.lane = new Lane(me);
  }

  load(channel: string): Promise<StoredChannel | null> {
    return this.carry('load', async () => {
      const stored = await this.store.load(channel);
      if (stored) this.tell.loaded(stored);
      return stored;
    });
  }

  apply(channel: string, advance: ChannelAdvance): Promise<boolean> {
    return this.carry('apply', () => this.store.apply(channel, advance));
  }

  forget(channel: string): Promise<void> {
    return this.carry('forget', async () => {
      await this.store.forget(channel);
      this.tell.forgotten(channel);
    });
  }

  channels(): Promise<string[]> {
    return this.store.channels();
  }

  async close(): Promise<void> {}

  async destroy(): Promise<void> {}

  private carry<Answer>(name: string, work: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve) => {
      this.schedule.add(this.lane, name, async () => {
        const answer = await work();
        this.schedule.add(this.lane, `${name} done`, () => resolve(answer));
      });
    });
  }
}
