import { setTimeout as pass } from 'node:timers/promises';
import { MemoryStore, SyncClient, type ChannelAdvance, type Message } from '@soleil/sync-client';
import type { Player } from './cast.js';
import type { Device, World } from './device.js';
import { Line } from './line.js';
import { newStory, type Story } from './story.js';

/** Impatient, so that a run of minutes holds thousands of reconnects. */
const timings = {
  pingEveryMs: 1_500,
  silenceMs: 1_500,
  backoffMinMs: 10,
  backoffMaxMs: 300,
  stableAfterMs: 100,
  connectTimeoutMs: 3_000,
  answerTimeoutMs: 5_000,
};

/** Outlives every connection, and can be slow. */
class ChaosStore extends MemoryStore {
  delayMs = 0;

  constructor(private readonly forgotten: (channel: string) => void) {
    super();
  }

  override async apply(channel: string, advance: ChannelAdvance): Promise<boolean> {
    if (this.delayMs > 0) await pass(this.delayMs);
    return super.apply(channel, advance);
  }

  override async forget(channel: string): Promise<void> {
    this.forgotten(channel);
    await super.forget(channel);
  }
}

/** A device with the real client. */
export class SyncDevice implements Device {
  readonly line: Line;
  private life = 0;
  private store!: ChaosStore;
  private client!: SyncClient;
  private current = new Map<string, Story>();
  private readonly past: Story[] = [];
  private unfollowed: string | null = null;
  private isDying = false;

  /** @param forgetful it loses its store now and then, and is a new device after that */
  constructor(
    readonly name: string,
    private readonly player: Player,
    private readonly transport: 'websocket' | 'polling',
    private readonly forgetful: boolean,
    private readonly world: World,
  ) {
    this.line = new Line(world.servers, world.random);
    this.beginLife();
  }

  get isOpen(): boolean {
    const { state } = this.client.connection;
    return state === 'live' || state === 'catching_up';
  }

  connect(): void {
    this.client.connect();
  }

  misbehave(): void {
    const { random } = this.world;
    const dice = random.next();
    if (dice < 0.3) this.store.delayMs = random.between(5, 200);
    else if (dice < 0.5) this.store.delayMs = 0;
    else if (dice < 0.6) this.client.disconnect();
    else if (dice < 0.7) this.client.connect();
    else if (dice < 0.8) this.unfollow();
    else if (dice < 0.9) this.follow();
    else if (this.forgetful) void this.loseStore();
  }

  behave(): void {
    this.store.delayMs = 0;
    this.follow();
    this.client.connect();
  }

  missing(heads: Record<string, number>): string[] {
    return this.player.channels.flatMap((channel) => {
      const { position, state } = this.client.channel(channel);
      const offset = position?.offset ?? 0;
      const head = heads[channel] ?? 0;
      if (offset >= head && state === 'live') return [];
      const { state: connection, error } = this.client.connection;
      return [`${this.name} ${channel}: ${state} at ${offset} of ${head}, ${connection} ${error?.code ?? ''}`];
    });
  }

  stories(): Story[] {
    return [...this.past, ...this.close(false)];
  }

  private beginLife(): void {
    this.life += 1;
    this.isDying = false;
    this.store = new ChaosStore((channel) => this.world.fault(`${this.name} was told to forget ${channel}`));
    const client = new SyncClient({
      url: Line.url,
      token: () => {
        this.line.choose();
        return this.player.userId;
      },
      store: this.store,
      random: () => this.world.random.next(),
      socketOptions: this.line.socketOptions(this.transport),
      timings,
    });
    this.client = client;
    this.current = new Map(
      this.player.channels.map((channel) => [channel, newStory(this.name, this.store.deviceId, this.life, channel)]),
    );
    client.onMessage((channel, message) => this.told(channel, message));
    client.subscribeConnection(() => this.connectionChanged());
    for (const channel of this.player.channels) {
      client.subscribe(channel, () => this.shown(channel));
      client.follow(channel);
    }
  }

  private told(channel: string, { offset, id }: Message): void {
    const story = this.current.get(channel)!;
    story.offsets.push(offset);
    story.ids.push(this.world.ids.numberOf(id));
    this.world.counts.deliveries += 1;
  }

  private shown(channel: string): void {
    const story = this.current.get(channel)!;
    story.startedAt ??= this.client.channel(channel).position?.offset ?? null;
    this.world.advanced(this);
  }

  private wasOpen = false;

  private connectionChanged(): void {
    if (this.isOpen && !this.wasOpen) this.line.opened();
    this.wasOpen = this.isOpen;
    const { state, error } = this.client.connection;
    if (state === 'refused') this.world.fault(`${this.name} was refused: ${error?.code}`);
    if (error?.code === 'frame_unreadable' || error?.code === 'store_failed')
      this.world.fault(`${this.name}: ${error.code}: ${error.message}`);
  }

  private unfollow(): void {
    this.follow();
    this.unfollowed = this.world.random.pick(this.player.channels);
    this.client.unfollow(this.unfollowed);
  }

  private follow(): void {
    if (this.unfollowed !== null) this.client.follow(this.unfollowed);
    this.unfollowed = null;
  }

  private async loseStore(): Promise<void> {
    if (this.isDying) return;
    this.isDying = true;
    await this.client.close();
    this.past.push(...this.close(true));
    this.world.counts.lostStores += 1;
    this.unfollowed = null;
    this.wasOpen = false;
    this.beginLife();
    this.client.connect();
  }

  private close(isOver: boolean): Story[] {
    return [...this.current.values()].map((story) => {
      const { position, rows } = this.client.channel(story.channel);
      const numbered = [...rows].map(([key, { id }]): [string, number] => [key, this.world.ids.numberOf(id)]);
      return { ...story, position: position?.offset ?? 0, rows: numbered, isOver };
    });
  }
}
