import { protocolVersion, type Closing, type MessagesFrame, type Pace, type SubscribeAnswer } from '@soleil/sync-protocol';
import { io, type Socket } from 'socket.io-client';
import type { Player } from './cast.js';
import type { Device, World } from './device.js';
import { Line } from './line.js';
import { newStory, type Story } from './story.js';

/** One channel, as "A minimal client" of PROTOCOL.md keeps it. */
interface Channel {
  story: Story;
  rows: Map<string, string>;
  own: { epoch: string; offset: number } | null;
  midStep: boolean;
  hold: boolean;
  /** Of the answer; null before it and without a connection. */
  head: number | null;
  ackDue: boolean;
}

/**
 * A device with nothing but a stock Socket.IO client, after PROTOCOL.md. It takes the server at its word: what the document
 * promises and the server does not keep is a fault, though a client could live with it.
 */
export class StockDevice implements Device {
  readonly line: Line;
  private readonly channels: Map<string, Channel>;
  private socket: Socket | null = null;
  private readonly deviceId: string;
  private retry: NodeJS.Timeout | null = null;
  private ackTimer: NodeJS.Timeout | null = null;
  private pace: Pace = { ackEveryMs: 100, ackEveryBytes: 65_536 };
  private acknowledges = true;

  constructor(
    readonly name: string,
    private readonly player: Player,
    private readonly world: World,
  ) {
    this.line = new Line(world.servers, world.random);
    this.deviceId = `stock-device-${name}`;
    this.channels = new Map(
      player.channels.map((channel) => [
        channel,
        {
          story: newStory(name, this.deviceId, 1, channel),
          rows: new Map(),
          own: null,
          midStep: false,
          hold: false,
          head: null,
          ackDue: false,
        },
      ]),
    );
  }

  get isOpen(): boolean {
    return this.socket?.connected ?? false;
  }

  connect(): void {
    this.line.choose();
    const socket = io(`${Line.url}/sync`, {
      ...this.line.socketOptions('websocket'),
      auth: { token: this.player.userId, deviceId: this.deviceId, protocol: protocolVersion },
      forceNew: true,
      reconnection: false,
      timeout: 3_000,
    });
    this.socket = socket;
    socket.on('connect', () => {
      this.line.opened();
      for (const name of this.channels.keys()) this.subscribe(socket, name);
    });
    socket.on('pace', (pace: Pace) => (this.pace = pace));
    socket.on('messages', (frame: MessagesFrame) => this.receive(frame));
    for (const event of ['reset', 'revoked'])
      socket.on(event, ({ channel }: { channel: string }) => this.fault(`${event} ${channel}`));
    socket.on('closing', ({ error, reconnect }: Closing) => {
      if (!reconnect) this.fault(`closing for good: ${error.code}`);
    });
    socket.on('connect_error', (error) => {
      const refusal = (error as Error & { data?: { code: string; retryable: boolean } }).data;
      if (refusal?.retryable === false) this.fault(`refused: ${refusal.code}`);
      this.comeBack(socket);
    });
    socket.on('disconnect', () => this.comeBack(socket));
  }

  /** Takes its time to acknowledge, which ends in `ack_timeout` if it takes too much. */
  misbehave(): void {
    this.acknowledges = this.world.random.chance(0.4);
    if (this.acknowledges) this.acknowledgeSoon();
  }

  behave(): void {
    this.acknowledges = true;
    this.acknowledgeSoon();
  }

  missing(heads: Record<string, number>): string[] {
    return [...this.channels].flatMap(([name, { own, head, hold, midStep }]) => {
      const offset = own?.offset ?? 0;
      const wanted = heads[name] ?? 0;
      if (offset >= wanted && head !== null && !hold && !midStep) return [];
      return [
        `${this.name} ${name}: at ${offset} of ${wanted}, answered ${head}, socket ${this.isOpen ? 'open' : 'closed'}`,
      ];
    });
  }

  stories(): Story[] {
    return [...this.channels.values()].map(({ story, rows, own }) => ({
      ...story,
      position: own?.offset ?? 0,
      rows: [...rows].map(([key, id]): [string, number] => [key, this.world.ids.numberOf(id)]),
    }));
  }

  private subscribe(socket: Socket, name: string): void {
    const channel = this.channels.get(name)!;
    channel.hold = channel.midStep;
    const position = channel.own === null ? {} : { position: channel.own };
    socket.emit('subscribe', { channel: name, ...position }, (answer: SubscribeAnswer) => {
      if (answer.ok) {
        channel.head = answer.head;
        this.settle(channel);
        return;
      }
      if (!answer.error.retryable) this.fault(`${name} refused: ${answer.error.code}`);
      // The simplest way to try again is a new connection.
      else socket.disconnect();
    });
  }

  private receive(frame: MessagesFrame): void {
    const channel = this.channels.get(frame.channel)!;
    const own = channel.own?.offset ?? 0;
    const told = frame.messages.map(({ offset }) => offset);
    const ascends = told.every((offset, nth) => offset > (told[nth - 1] ?? frame.from - 1) && offset <= frame.to);
    if (channel.head === null) this.fault(`${frame.channel}: a frame before the answer`);
    if (frame.from !== own + 1 || frame.to < frame.from || !ascends)
      this.fault(`${frame.channel}: after ${own} came ${frame.from}..${frame.to} with ${told.join()}`);
    for (const { offset, id, key, data } of frame.messages) {
      channel.story.offsets.push(offset);
      channel.story.ids.push(this.world.ids.numberOf(id));
      this.world.counts.deliveries += 1;
      if (key === undefined) continue;
      if (data === null) channel.rows.delete(key);
      else channel.rows.set(key, id);
    }
    channel.own = { epoch: frame.epoch, offset: frame.to };
    channel.midStep = frame.more === true || (channel.hold && frame.to < (channel.head ?? Infinity));
    channel.ackDue = true;
    this.settle(channel);
    this.acknowledgeSoon();
  }

  /** May the rows be shown? */
  private settle(channel: Channel): void {
    if (channel.head !== null && (channel.own?.offset ?? 0) >= channel.head) channel.hold = false;
    if (!channel.hold && !channel.midStep) channel.story.startedAt ??= channel.own?.offset ?? null;
    this.world.advanced(this);
  }

  private acknowledgeSoon(): void {
    if (!this.acknowledges) return;
    this.ackTimer ??= setTimeout(() => {
      this.ackTimer = null;
      if (!this.acknowledges || !this.isOpen) return;
      for (const [name, channel] of this.channels) {
        if (channel.ackDue && channel.head !== null)
          this.socket!.emit('ack', { channel: name, offset: channel.own!.offset });
        channel.ackDue = false;
      }
    }, this.pace.ackEveryMs);
  }

  private comeBack(socket: Socket): void {
    if (socket !== this.socket) return;
    socket.off();
    socket.disconnect();
    this.socket = null;
    for (const channel of this.channels.values()) {
      channel.head = null;
      channel.ackDue = false;
    }
    this.retry ??= setTimeout(
      () => {
        this.retry = null;
        this.connect();
      },
      this.world.random.between(10, 300),
    );
  }

  private fault(what: string): void {
    this.world.fault(`${this.name}: ${what}`);
  }
}
