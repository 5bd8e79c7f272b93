import type { Message, Position } from '@soleil/sync-protocol';
import type {
  ChannelState,
  EpochStart,
  Extent,
  LatestQuery,
  LogReader,
  Outline,
  Page,
  PageQuery,
  Pruned,
  RightQuery,
} from '../src/log/log-reader.js';
import { rightEnded } from '../src/log/control-message.js';
import type { Batch } from '../src/log/sequence-batch.js';
import type { Waiting } from './memory-database.js';

export interface Entry {
  key: string | null;
  /** A tombstone, where there is a key. */
  gone: boolean;
}

/** A read on its way: it sees the log as it was when asked, or as it is when answered, as a database's snapshot may. */
interface PendingRead {
  answer(fresh: boolean): void;
  fail(): void;
}

/** Brings a question to where the log is, and the answer back. */
export type Carry = <Answer>(look: () => Answer) => Promise<Answer>;

interface MemoryChannel extends Pruned {
  /** All that there ever was. */
  messages: Message[];
  epochs: EpochStart[];
  /** Offsets that retention has removed. */
  removed: Set<number>;
}

/**
 * The log as an array, with LogReader's contract. It answers when it is told to, in any order, so that a test decides what
 * happens between question and answer.
 */
export class MemoryLog {
  readonly pending: PendingRead[] = [];
  private readonly channels = new Map<string, MemoryChannel>();
  private term = 1;

  /** @param onTheirWay messages that are not numbered yet */
  constructor(private readonly onTheirWay: () => readonly Pick<Waiting, 'channel' | 'type' | 'data'>[] = () => []) {}

  /** The same, for what reads a log. */
  get asReader(): LogReader {
    return this as unknown as LogReader;
  }

  /** The same log, for what reads it at the end of another line. */
  over(carry: Carry): LogReader {
    return Object.assign(Object.create(this) as LogReader, { read: carry });
  }

  /** Another leader takes office: what is appended from now on is of a new epoch. */
  changeLeader(): void {
    this.term += 1;
  }

  append(channel: string, entries: readonly Entry[]): Batch {
    const epoch = `epoch-${this.term}`;
    const next = this.headOf(channel) + 1;
    const messages = entries.map(({ key, gone }, index) => ({
      id: `${channel}#${next + index}@${epoch}`,
      type: 'note',
      ...(key === null ? {} : { key }),
      data: gone ? null : next + index,
      at: '2026-11-23T20:00:00.000Z',
    }));
    return this.put(channel, epoch, messages);
  }

  /** Numbers messages and takes them in. */
  put(channel: string, epoch: string, unnumbered: readonly Omit<Message, 'offset'>[]): Batch {
    const log = this.of(channel);
    const from = log.messages.length + 1;
    const messages = unnumbered.map((message, index): Message => ({ offset: from + index, ...message }));
    if (log.epochs.at(-1)?.epoch !== epoch) log.epochs.push({ epoch, beganAt: from });
    log.messages.push(...messages);
    return { channel, epoch, from, to: this.headOf(channel), messages };
  }

  headOf(channel: string): number {
    return this.of(channel).messages.length;
  }

  positionOf(channel: string, offset = this.headOf(channel)): Position {
    return { epoch: this.epochAt(channel, offset), offset };
  }

  /** The database is set back to a backup of when the channel stood at `offset`; what follows is of a new epoch. */
  setBack(channel: string, offset: number): void {
    const log = this.of(channel);
    log.messages.splice(offset);
    log.epochs = log.epochs.filter(({ beganAt }) => beganAt <= offset);
    this.changeLeader();
  }

  /** @returns what sets every channel back to how it is now */
  backup(): () => void {
    const kept = [...this.channels].map(([channel, log]) => [channel, structuredClone(log)] as const);
    return () => {
      this.channels.clear();
      for (const [channel, log] of kept) this.channels.set(channel, structuredClone(log));
    };
  }

  epochAt(channel: string, offset: number): string {
    const { epochs } = this.of(channel);
    return (epochs.findLast(({ beganAt }) => beganAt <= offset) ?? epochs[0])?.epoch ?? '';
  }

  /** The epoch of the message itself, which the log may have forgotten. */
  bornIn(channel: string, offset: number): string | undefined {
    return this.of(channel).messages[offset - 1]?.id.split('@')[1];
  }

  /** What a device has that was told everything up to `offset`, by key. */
  rowsAt(channel: string, offset: number): Map<string, unknown> {
    return rowsOf(this.between(channel, 0, offset));
  }

  /** Whether retention has taken anything away. */
  get isPruned(): boolean {
    return [...this.channels.values()].some(({ removed }) => removed.size > 0);
  }

  /** Retention: up to `horizon` only the state stays. */
  prune(channel: string, horizon: number): void {
    const log = this.of(channel);
    const kept = new Set(latestOfEachKey(this.between(channel, 0, horizon), 'state'));
    for (const message of this.between(channel, 0, horizon)) {
      if (kept.has(message) || log.removed.has(message.offset)) continue;
      log.removed.add(message.offset);
      const isSpokenFor = log.messages.some(({ key, offset }) => key === message.key && offset > message.offset);
      if (message.key === undefined || !isSpokenFor) log.prunedTo = message.offset;
    }
    log.epochs = log.epochs.filter((_, index) => (log.epochs[index + 1]?.beganAt ?? Infinity) > log.prunedTo);
  }

  /** Offsets that retention has left, up to this one. */
  leftUpTo(channel: string, offset: number): Set<number> {
    return new Set(this.kept(channel, 0, offset).map((message) => message.offset));
  }

  /** Everything in `after`+1..`upTo`, whatever was pruned. */
  between(channel: string, after: number, upTo: number): Message[] {
    return this.of(channel).messages.slice(after, upTo);
  }

  state(channel: string): Promise<ChannelState> {
    return this.read(() => this.stateOf(channel));
  }

  opening(channel: string): ReturnType<LogReader['opening']> {
    return this.read(() => ({ state: this.stateOf(channel), rightsEnded: this.rightsEndedIn(channel) }));
  }

  rightHasChanged({ channel, userId, after }: RightQuery): Promise<boolean> {
    return this.read(() => {
      const later = [
        ...this.between(channel, after, Infinity),
        ...this.onTheirWay().filter((row) => row.channel === channel),
      ];
      return later.some(({ type, data }) => type === rightEnded && (data as { userId: string }).userId === userId);
    });
  }

  heads(channels: readonly string[]): Promise<Map<string, Position & Pruned>> {
    const known = channels.filter((channel) => this.headOf(channel) > 0);
    const head = (channel: string): Position & Pruned => ({
      ...this.positionOf(channel),
      prunedTo: this.of(channel).prunedTo,
    });
    return this.read(() => new Map(known.map((channel) => [channel, head(channel)])));
  }

  page({ channel, after, upTo, limit }: PageQuery): Promise<Page> {
    return this.read(() => ({
      prunedTo: this.of(channel).prunedTo,
      messages: this.kept(channel, after, upTo).slice(0, limit),
    }));
  }

  latest({ channel, after, upTo, extent }: LatestQuery): Promise<Outline> {
    return this.read(() => ({
      prunedTo: this.of(channel).prunedTo,
      offsets: latestOfEachKey(this.kept(channel, after, upTo), extent).map(({ offset }) => offset),
    }));
  }

  at(channel: string, offsets: readonly number[]): Promise<Page> {
    return this.read(() => ({
      prunedTo: this.of(channel).prunedTo,
      messages: this.kept(channel, 0, Infinity).filter(({ offset }) => offsets.includes(offset)),
    }));
  }

  /** Answers what is asked now, and nothing that is asked because of the answers. */
  answerAll(): void {
    for (const read of this.pending.splice(0)) read.answer(true);
  }

  private stateOf(channel: string): ChannelState {
    const { epochs, prunedTo } = this.of(channel);
    return { head: this.headOf(channel), prunedTo, epochs: [...epochs] };
  }

  private rightsEndedIn(channel: string): Map<string, number> {
    const ended = this.of(channel).messages.filter(({ type }) => type === rightEnded);
    return new Map(ended.map(({ data, offset }) => [(data as { userId: string }).userId, offset]));
  }

  private kept(channel: string, after: number, upTo: number): Message[] {
    return this.between(channel, after, upTo).filter(({ offset }) => !this.of(channel).removed.has(offset));
  }

  private of(channel: string): MemoryChannel {
    let log = this.channels.get(channel);
    if (!log) this.channels.set(channel, (log = { messages: [], epochs: [], removed: new Set(), prunedTo: 0 }));
    return log;
  }

  private read<Answer>(look: () => Answer): Promise<Answer> {
    const whenAsked = look();
    return new Promise((resolve, reject) => {
      this.pending.push({
        answer: (fresh) => resolve(fresh ? look() : whenAsked),
        fail: () => reject(new Error('the database is away')),
      });
    });
  }
}

/** Without what a later one of the same key, among these, supersedes; of the state, also without events and what is gone. */
export function latestOfEachKey(messages: readonly Message[], extent: Extent): Message[] {
  return messages.filter(({ key, offset, data }) => {
    if (key === undefined) return extent === 'changes';
    return !(extent === 'state' && data === null) && !messages.some((later) => later.key === key && later.offset > offset);
  });
}

/** What messages leave behind, by key, on top of what was there. */
export function rowsOf(
  messages: readonly Message[],
  before: ReadonlyMap<string, unknown> = new Map(),
): Map<string, unknown> {
  const rows = new Map(before);
  for (const { key, data } of messages) {
    if (key === undefined) continue;
    if (data === null) rows.delete(key);
    else rows.set(key, data);
  }
  return rows;
}
