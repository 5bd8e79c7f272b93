import type { Message } from '@soleil/sync-protocol';
import type { ChannelHub } from '../src/fan-out/channel-hub.js';
import type { WeighedFrame } from '../src/fan-out/frames.js';
import type { PositionLoss } from '../src/fan-out/history.js';
import { Reader, type ReaderSocket } from '../src/fan-out/reader.js';
import { Window } from '../src/fan-out/window.js';

/** A device at a hub, without a line between: it keeps rows and events, and takes one frame at a time. */
export class ReadingDevice implements ReaderSocket {
  readonly rows = new Map<string, unknown>();
  /** Offsets of messages without a key. */
  readonly events: number[] = [];
  readonly resets: PositionLoss[] = [];
  readonly window = new Window(1, () => 0);
  readonly isHeld = false;
  private offset: number;
  private readonly reader: Reader;
  private fault: Error | null = null;
  private wake: () => void = () => undefined;

  /** @param position what it has been told; null: nothing */
  constructor(
    private readonly hub: ChannelHub,
    position: { offset: number; rows: ReadonlyMap<string, unknown> } | null,
  ) {
    this.offset = position?.offset ?? 0;
    if (position) this.rows = new Map(position.rows);
    this.reader = new Reader(hub, this, position?.offset ?? null);
  }

  get isAtHead(): boolean {
    return this.offset >= this.hub.head && this.reader.isInRoom;
  }

  /** Resolves with the next frame. */
  arrival(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  /** Acknowledges what it has, and resolves when the next frame is there, or nothing more will come. */
  async next(): Promise<void> {
    if (this.isAtHead) return;
    const moved = this.arrival();
    this.window.acknowledged(this.hub.channel, this.offset);
    this.reader.pump();
    if (this.isAtHead) return;
    await moved;
    if (this.fault) throw this.fault;
  }

  /** Takes everything up to the head. */
  async finish(): Promise<void> {
    while (!this.isAtHead) await this.next();
    this.reader.close();
  }

  send({ frame }: WeighedFrame): void {
    if (frame.from !== this.offset + 1) this.fault = new Error(`From ${frame.from}, having ${this.offset}`);
    for (const message of frame.messages) this.apply(message);
    this.offset = frame.to;
    this.wake();
  }

  signal(): void {
    // Nobody signals here.
  }

  askAnew(): void {
    // It has no rights to lose.
  }

  reset(_channel: string, _epoch: string, loss: PositionLoss): void {
    this.resets.push(loss);
    this.rows.clear();
    this.offset = 0;
  }

  windowFilled(): void {
    this.reader.stepBack();
  }

  pumpAll(): void {
    // It has one channel, whose reader goes on by itself.
  }

  readFailed(_reader: Reader, error: unknown): void {
    this.fault = error as Error;
    this.wake();
  }

  private apply({ key, data, offset }: Message): void {
    if (key === undefined) this.events.push(offset);
    else if (data === null) this.rows.delete(key);
    else this.rows.set(key, data);
  }
}
