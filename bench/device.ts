import { protocolVersion, type MessagesFrame, type Pace, type Position } from '@soleil/sync-protocol';
import { io, type Socket } from 'socket.io-client';

/** What a device has of one channel. */
export interface Told {
  position: Position;
  /** When each number came, by this process's clock. */
  arrivals: Map<number, number>;
}

/** A stock client that keeps what it is told and acknowledges at the server's pace. */
export class Device {
  private readonly channels = new Map<string, Told>();
  private pace: Pace = { ackEveryMs: 100, ackEveryBytes: 65_536 };
  private unacknowledged = 0;
  private timer: NodeJS.Timeout | null = null;
  private waiting: { holds: () => boolean; resolve: () => void }[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('pace', (pace: Pace) => (this.pace = pace));
    socket.on('messages', (frame: MessagesFrame) => this.take(frame));
  }

  static async connect(port: number): Promise<Device> {
    const socket = io(`http://127.0.0.1:${port}/sync`, {
      auth: { token: 'u0', deviceId: 'slow-line-device', protocol: protocolVersion },
      transports: ['websocket'],
      forceNew: true,
    });
    const device = new Device(socket);
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('connect_error', reject));
    return device;
  }

  async subscribe(channel: string, position?: Position): Promise<{ epoch: string; head: number }> {
    this.channels.set(channel, { position: position ?? { epoch: '', offset: 0 }, arrivals: new Map() });
    return (await this.socket.emitWithAck('subscribe', { channel, ...(position ? { position } : {}) })) as {
      epoch: string;
      head: number;
    };
  }

  told(channel: string): Told {
    return this.channels.get(channel)!;
  }

  has(channel: string, n: number): boolean {
    return this.told(channel).arrivals.has(n);
  }

  /** The gate: @throws Error when a message is missing */
  mustHaveAll(channel: string, first: number, many: number): void {
    for (let n = first; n < first + many; n++) if (!this.has(channel, n)) throw new Error(`Message ${n} is lost`);
  }

  /** Resolves when this holds, looked at after each frame. */
  async until(holds: () => boolean): Promise<void> {
    if (!holds()) await new Promise<void>((resolve) => this.waiting.push({ holds, resolve }));
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.socket.disconnect();
  }

  private take(frame: MessagesFrame): void {
    const now = performance.now();
    const { arrivals, position } = this.told(frame.channel);
    if (frame.from !== position.offset + 1) throw new Error(`A frame begins at ${frame.from}, after ${position.offset}`);
    Object.assign(position, { epoch: frame.epoch, offset: frame.to });
    for (const { data } of frame.messages) {
      const { n } = data as { n: number };
      if (arrivals.has(n)) throw new Error(`Message ${n} came twice`);
      arrivals.set(n, now);
    }
    this.unacknowledged += JSON.stringify(frame).length;
    if (this.unacknowledged >= this.pace.ackEveryBytes) this.acknowledge();
    else this.timer ??= setTimeout(() => this.acknowledge(), this.pace.ackEveryMs);
    const [come, still] = [this.waiting.filter(({ holds }) => holds()), this.waiting.filter(({ holds }) => !holds())];
    this.waiting = still;
    for (const { resolve } of come) resolve();
  }

  private acknowledge(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.unacknowledged = 0;
    for (const [channel, { position }] of this.channels)
      if (position.offset > 0) this.socket.emit('ack', { channel, offset: position.offset });
  }
}
