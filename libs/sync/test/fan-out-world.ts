import type { MessagesFrame, Position } from '@soleil/sync-protocol';
import { ChannelHub, type HubOptions } from '../src/fan-out/channel-hub.js';
import type { WeighedFrame } from '../src/fan-out/frames.js';
import type { PositionLoss } from '../src/fan-out/history.js';
import { Reader, type ReaderSocket } from '../src/fan-out/reader.js';
import { Turns } from '../src/fan-out/turns.js';
import { Window } from '../src/fan-out/window.js';
import { latestOfEachKey, MemoryLog, rowsOf, type Entry } from './memory-log.js';

export interface WorldOptions extends HubOptions {
  channels: readonly string[];
  sockets: number;
  windowBytes: number;
  socketsPerTurn: number;
}

/** What one subscription was sent, checked as it comes. */
class Subscription {
  readonly frames: MessagesFrame[] = [];

  /** @param stateAsOf where the channel stood, for one that begins with the state; else 0 */
  constructor(
    readonly start: number,
    readonly stateAsOf: number,
    public reader: Reader | null = null,
  ) {}

  get sentUpTo(): number {
    return this.frames.at(-1)?.to ?? this.start;
  }

  /** Frames that are one step for the client: up to and including the first without `more`. */
  get steps(): MessagesFrame[][] {
    const steps: MessagesFrame[][] = [[]];
    for (const frame of this.frames) {
      steps.at(-1)!.push(frame);
      if (!frame.more) steps.push([]);
    }
    return steps.filter((step) => step.at(-1) !== undefined && !step.at(-1)!.more);
  }
}

/** A device's socket as far as readers know it. It notes what comes, and how much of that is unacknowledged. */
class TestSocket implements ReaderSocket {
  readonly window: Window;
  readonly subscriptions = new Map<string, Subscription>();
  readonly opening = new Set<string>();
  stalled = false;
  readonly isHeld = false;
  /** What was sent and should not have been. Noted, since a reader takes what its socket throws for a failed read. */
  readonly faults: unknown[] = [];
  private readonly unacknowledged = new Map<string, { to: number; bytes: number }[]>();

  constructor(
    private readonly log: MemoryLog,
    private readonly windowBytes: number,
  ) {
    this.window = new Window(windowBytes, () => 0);
  }

  /** The channels in whose room it is. */
  get rooms(): string[] {
    return [...this.subscriptions].filter(([, { reader }]) => reader?.isInRoom).map(([channel]) => channel);
  }

  send({ frame }: WeighedFrame): void {
    this.receive(frame);
  }

  signal(): void {
    throw new Error('nobody sends signals in this world');
  }

  windowFilled(): void {
    for (const { reader } of this.subscriptions.values()) reader?.stepBack();
  }

  reset(channel: string, _epoch: string, loss: PositionLoss): void {
    if (loss !== 'position_expired' || !this.log.isPruned)
      throw new Error(`${channel} was reset (${loss}) though its history only grew`);
    const { reader } = this.subscriptions.get(channel)!;
    this.subscriptions.set(channel, new Subscription(0, reader!.hub.head, reader));
    this.unacknowledged.delete(channel);
  }

  askAnew(): void {
    if (!this.log.isPruned) throw new Error('rights were asked for anew though the history only grew');
  }

  readFailed(): void {
    this.stalled = true;
  }

  receive(frame: MessagesFrame): void {
    try {
      this.take(frame);
    } catch (fault) {
      this.faults.push(fault);
    }
  }

  /** As the gateway does it: every reader may go on. */
  acknowledge(channel: string, offset: number): void {
    this.unacknowledged.set(
      channel,
      (this.unacknowledged.get(channel) ?? []).filter(({ to }) => to > offset),
    );
    this.window.acknowledged(channel, offset);
    this.pumpAll();
  }

  pumpAll(): void {
    for (const { reader } of this.subscriptions.values()) reader?.pump();
  }

  leave(channel: string): void {
    this.subscriptions.get(channel)?.reader?.close();
    this.subscriptions.delete(channel);
    this.unacknowledged.delete(channel);
    this.pumpAll();
  }

  private take(frame: MessagesFrame): void {
    const subscription = this.subscriptions.get(frame.channel);
    if (!subscription) throw new Error(`${frame.channel} was sent to a socket that does not follow it`);
    expect(frame.from).toBe(subscription.sentUpTo + 1);
    expect(frame.to).toBeGreaterThanOrEqual(frame.from);
    // Retention forgets epochs; a node that knew one before may still name it.
    expect([this.log.epochAt(frame.channel, frame.to), this.log.bornIn(frame.channel, frame.to)]).toContain(frame.epoch);
    subscription.frames.push(frame);
    // Whatever the channels have on their way: before the frame that fills the window, it was not full.
    const before = [...this.unacknowledged.values()].flat();
    expect(before.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(this.windowBytes);
    const open = this.unacknowledged.get(frame.channel) ?? [];
    this.unacknowledged.set(frame.channel, [...open, { to: frame.to, bytes: Buffer.byteLength(JSON.stringify(frame)) }]);
  }
}

/** One node's fan-out: a log, a hub for each channel, sockets that read. */
export class FanOutWorld {
  readonly log = new MemoryLog();
  readonly sockets: TestSocket[];
  private readonly hubs: Map<string, ChannelHub>;
  private readonly turns: Turns;
  private readonly ended: [string, Subscription][] = [];

  constructor(private readonly options: WorldOptions) {
    this.turns = new Turns(options.socketsPerTurn);
    this.sockets = Array.from({ length: options.sockets }, () => new TestSocket(this.log, options.windowBytes));
    this.hubs = new Map(options.channels.map((channel) => [channel, this.hubOf(channel)]));
  }

  hub(channel: string): ChannelHub {
    return this.hubs.get(channel)!;
  }

  append(channel: string, entries: readonly Entry[]): ReturnType<MemoryLog['append']> {
    return this.log.append(channel, entries);
  }

  /**
   * Follows a channel as the gateway lets a device do it. A read that fails is told to the device, which stays away.
   * @param expected what becomes of the position, unless retention has come meanwhile
   */
  async subscribe(
    socket: TestSocket,
    channel: string,
    position: Position | null,
    expected: PositionLoss | null,
  ): Promise<void> {
    if (socket.subscriptions.has(channel) || socket.opening.has(channel)) return;
    socket.opening.add(channel);
    const hub = this.hub(channel);
    try {
      await hub.open();
      const loss = position ? await hub.lossOf(position) : null;
      if (!this.log.isPruned) expect(loss).toBe(expected);
      // Of an epoch that is forgotten it is not known how far it went.
      else expect(expected ? ['position_expired', 'epoch_unknown', expected] : ['position_expired', null]).toContain(loss);
      const after = loss || !position ? null : position.offset;
      const subscription = new Subscription(after ?? 0, after === null ? hub.head : 0);
      socket.subscriptions.set(channel, subscription);
      subscription.reader = new Reader(hub, socket, after);
      subscription.reader.pump();
    } catch (error) {
      if ((error as Error).message !== 'the database is away') throw error;
    } finally {
      socket.opening.delete(channel);
    }
  }

  unsubscribe(socket: TestSocket, channel: string): void {
    const subscription = socket.subscriptions.get(channel);
    if (subscription) this.ended.push([channel, subscription]);
    socket.leave(channel);
  }

  /** The database answers again, the poll tells the heads once, and every device acknowledges what it has, until nothing moves. */
  async comeToRest(): Promise<void> {
    await this.quiet();
    for (const [channel, hub] of this.hubs) hub.hear(this.log.positionOf(channel));
    // What failed is looked at again by the gateway's round; nothing else may need that.
    for (const socket of this.sockets.filter(({ stalled }) => stalled)) socket.pumpAll();
    while (await this.moved()) {
      for (const socket of this.sockets) {
        for (const [channel, { sentUpTo }] of socket.subscriptions) socket.acknowledge(channel, sentUpTo);
      }
    }
  }

  /** Everybody has everything, is in the room, and got what a reader of the log must get: no more, no less. */
  check(): void {
    for (const { subscriptions, window, faults } of this.sockets) {
      if (faults.length > 0) throw faults[0];
      expect(window.unacknowledgedBytes).toBe(0);
      for (const [channel, subscription] of subscriptions) {
        expect(subscription.sentUpTo).toBe(this.log.headOf(channel));
        expect(subscription.reader?.isInRoom).toBe(true);
        expect(subscription.frames.at(-1)?.more).toBeUndefined();
        if (this.log.isPruned) this.checkOutcome(channel, subscription);
        else this.checkContent(channel, subscription);
      }
    }
    if (this.log.isPruned) return;
    for (const [channel, subscription] of this.ended) this.checkContent(channel, subscription);
  }

  /** Whatever retention took away meanwhile: the device has what the log says, and every event since it began. */
  private checkOutcome(channel: string, { start, stateAsOf, frames }: Subscription): void {
    const head = this.log.headOf(channel);
    const messages = frames.flatMap((frame) => frame.messages);
    expect(rowsOf(messages, this.log.rowsAt(channel, start))).toEqual(this.log.rowsAt(channel, head));
    const isEvent = ({ key }: { key?: string }): boolean => key === undefined;
    const events = this.log.between(channel, Math.max(start, stateAsOf), head).filter(isEvent);
    expect(messages.filter(isEvent)).toEqual(events);
  }

  private checkContent(channel: string, { start, stateAsOf, steps }: Subscription): void {
    let after = start;
    for (const step of steps) {
      const upTo = step.at(-1)!.to;
      const told = this.log.between(channel, after, upTo);
      const isState = after < stateAsOf;
      const latest = latestOfEachKey(told, isState ? 'state' : 'changes');
      const got = step.map(({ messages }) => messages.map(({ id }) => id));
      const everything = [told.map(({ id }) => id)];
      const compacted = step.map(({ from, to }) =>
        latest.filter(({ offset }) => offset >= from && offset <= to).map(({ id }) => id),
      );
      if (isState) expect(upTo).toBe(stateAsOf);
      if (isState || step.length > 1) expect(got).toEqual(compacted);
      else if (upTo - after <= this.options.compactAfterMessages) expect(got).toEqual(everything);
      // A reader at the head gets a large batch whole; one that reads a page far behind gets it compacted.
      else expect([everything, compacted]).toContainEqual(got);
      after = upTo;
    }
  }

  private hubOf(channel: string): ChannelHub {
    return new ChannelHub(channel, this.log.asReader, this.options, { obey: () => undefined }, this.turns);
  }

  private async moved(): Promise<boolean> {
    const before = this.progress();
    await this.quiet();
    return this.progress() !== before || this.sockets.some(({ window }) => window.unacknowledgedBytes > 0);
  }

  private progress(): string {
    return JSON.stringify(
      this.sockets.map(({ subscriptions }) =>
        [...subscriptions.values()].map(({ sentUpTo, reader }) => [sentUpTo, reader?.isInRoom]),
      ),
    );
  }

  /** Until no read is pending, every promise has run, and every room was told. */
  async quiet(): Promise<void> {
    await nextTurn();
    while (this.log.pending.length > 0 || !this.turns.isIdle) {
      this.log.answerAll();
      await nextTurn();
    }
  }
}

/** After all that this turn of the event loop has set off. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
