import type { Row } from '@soleil/sync-client';
import type { Message, Position } from '@soleil/sync-protocol';
import { isControl, rightEnded } from '../../libs/sync/src/log/control-message.js';
import { latestOfEachKey } from '../../libs/sync/test/memory-log.js';

/** One message and the epoch in which it was numbered. */
export interface Entry {
  epoch: string;
  message: Message;
}

/** Offsets after one and up to another. */
interface Hidden {
  userId: string;
  channel: string;
  after: number;
  upTo: number;
}

/** What a device showed at once: everything after `from` up to `to`. */
export interface Step {
  userId: string;
  channel: string;
  /** Null: the device had nothing. */
  from: Position | null;
  to: Position;
  /** What it was told, in order. */
  told: readonly Message[];
  /** What it shows: key → message id. */
  rows: ReadonlyMap<string, string>;
}

/**
 * What each device must have seen. It knows every history that a channel ever had: a restored backup ends one and begins
 * another, which share their beginning. A device follows one of them, and may go over to another only by forgetting all.
 */
export class Model {
  /** Per channel; the last one is how things are now. */
  private readonly histories = new Map<string, Entry[][]>();
  /** What was numbered in a channel while a user had no right to it, and before a right that they had later. */
  private hidden: Hidden[] = [];
  /** Ids of messages that retention has removed. */
  private readonly removed = new Set<string>();

  /** @param compactAfter who is no further behind than this is told every message */
  constructor(private readonly compactAfter: number) {}

  moved(channel: string, epoch: string, messages: readonly Message[]): void {
    const history = this.now(channel);
    for (const message of messages) {
      if (message.offset !== history.length + 1) throw new Error(`${channel}: ${message.offset} follows ${history.length}`);
      for (const former of this.histories.get(channel)!)
        if (former[history.length]?.epoch === epoch)
          throw new Error(`${channel}: ${message.offset} of ${epoch} was used before`);
      history.push({ epoch, message });
    }
  }

  /** @returns what is to be called when the database was set back to how it is now */
  backup(): () => void {
    const heads = new Map([...this.histories.keys()].map((channel) => [channel, this.now(channel).length]));
    const hidden = [...this.hidden];
    const then = new Map([...heads.keys()].map((channel) => [channel, [...this.now(channel)]]));
    return () => {
      this.hidden = [...hidden];
      for (const [channel, versions] of this.histories) versions.push([...(then.get(channel) ?? [])]);
    };
  }

  /**
   * A right begins now: what the channel has by now, after its last end, is none of the user's for ever, but for the state.
   * @param changes of the user's right to the channel that have committed before
   */
  rightBegan(userId: string, channel: string, changes: number): void {
    const now = this.now(channel);
    const logged = now.filter(({ message }) => endsRightOf(userId, message));
    // Where the end is not numbered yet, all that there is comes before it.
    if (logged.length < changes) return;
    this.hidden.push({ userId, channel, after: logged.at(-1)?.message.offset ?? 0, upTo: now.length });
  }

  /** @param left offsets that retention left, up to the horizon */
  pruned(channel: string, horizon: number, left: ReadonlySet<number>): void {
    for (const { message } of this.now(channel).slice(0, horizon))
      if (!left.has(message.offset)) this.removed.add(message.id);
  }

  now(channel: string): Entry[] {
    const versions = this.histories.get(channel) ?? [[]];
    this.histories.set(channel, versions);
    return versions.at(-1)!;
  }

  head(channel: string): Position {
    const entry = this.now(channel).at(-1);
    return { epoch: entry?.epoch ?? '', offset: entry?.message.offset ?? 0 };
  }

  /** Whether nothing that devices are told comes after this position. */
  isAllTold(channel: string, position: Position | null): boolean {
    const now = this.now(channel);
    const { epoch, offset } = position ?? { epoch: '', offset: 0 };
    if (offset > 0 && now[offset - 1]?.epoch !== epoch) return false;
    return now.slice(offset).every(({ message }) => isControl(message));
  }

  /** The rows that a channel's messages up to there make: key → message id. */
  state(channel: string, at: Position): Map<string, string> {
    return new Map(this.stateAt(channel, at).map(({ key, id }) => [key!, id]));
  }

  /** What a device has that was told everything up to this offset of how things are now. */
  outcomeAt(channel: string, offset: number): { position: Position; upserts: Row[] } {
    const position = { epoch: this.now(channel)[offset - 1]!.epoch, offset };
    return { position, upserts: this.stateAt(channel, position).map((message) => ({ ...message, key: message.key! })) };
  }

  /**
   * Everything once, in order, nothing invented, nothing left out but what later messages of the same step speak for. Whoever
   * still follows a history that is over will have to forget it; what they see until then is not judged.
   */
  check({ userId, channel, from, to, told, rows }: Step): void {
    const history = this.upTo(channel, to);
    if (to.offset > 0 && this.now(channel)[to.offset - 1]?.epoch !== to.epoch) return;
    const before = from ? history[from.offset - 1] : undefined;
    if (from && from.offset > 0 && before?.epoch !== from.epoch)
      throw new Error(`went on from ${at(from)}, which is no part of the history that has ${at(to)}`);
    const between = history.slice(from?.offset ?? 0).map(({ message }) => message);
    if (from && between.some((message) => endsRightOf(userId, message)))
      throw new Error(`went on from ${at(from)}, though its right has ended since`);
    const due = between.filter((message) => !isControl(message) && !this.removed.has(message.id));
    const isWhole = from !== null && between.length <= this.compactAfter;
    const required = isWhole ? due : latestOfEachKey(due, from ? 'changes' : 'state');
    const state = new Set(this.stateAt(channel, to).map(({ id }) => id));
    const known = new Map(between.map((message) => [message.id, message]));
    let last = from?.offset ?? 0;
    for (const message of told) {
      if (message.offset <= last) throw new Error(`was told ${message.offset} after ${last}`);
      if (!isSameMessage(known.get(message.id), message) || isControl(message))
        throw new Error(`was told ${JSON.stringify(message)}, which is not between ${at(from)} and ${at(to)}`);
      if (this.isHidden(userId, channel, message.offset) && (from || !state.has(message.id)))
        throw new Error(`was told ${message.offset}, of a time when its user had no right`);
      last = message.offset;
    }
    const missing = required.filter(({ id }) => !told.some((message) => message.id === id));
    if (missing.length > 0) throw new Error(`was not told ${offsets(missing)} on the way from ${at(from)} to ${at(to)}`);
    this.checkRows(channel, to, rows);
  }

  /** What was so then; but of an entity whose message of then is pruned, what comes later speaks. */
  private checkRows(channel: string, to: Position, rows: ReadonlyMap<string, string>): void {
    const messages = this.upTo(channel, to).map(({ message }) => message);
    for (const { key, id, data } of latestOfEachKey(messages, 'changes')) {
      if (key === undefined || this.removed.has(id)) continue;
      if (rows.get(key) !== (data === null ? undefined : id))
        throw new Error(`shows ${key} at ${at(to)} as it was not then`);
    }
  }

  private stateAt(channel: string, position: Position): Message[] {
    return latestOfEachKey(
      this.upTo(channel, position).map(({ message }) => message),
      'state',
    );
  }

  private isHidden(userId: string, channel: string, offset: number): boolean {
    return this.hidden.some(
      (range) => range.userId === userId && range.channel === channel && offset > range.after && offset <= range.upTo,
    );
  }

  private upTo(channel: string, { epoch, offset }: Position): Entry[] {
    if (offset === 0) return [];
    this.now(channel);
    const history = this.histories.get(channel)!.findLast((version) => version[offset - 1]?.epoch === epoch);
    if (!history) throw new Error(`stands at ${at({ epoch, offset })}, where ${channel} never was`);
    return history.slice(0, offset);
  }
}

const endsRightOf = (userId: string, message: Message): boolean =>
  message.type === rightEnded && (message.data as { userId: string }).userId === userId;

/** Times are for people. */
const isSameMessage = (one: Message | undefined, other: Message): boolean =>
  JSON.stringify({ ...one, at: '' }) === JSON.stringify({ ...other, at: '' });

const at = (position: Position | null): string => (position ? `${position.offset} (${position.epoch})` : 'nothing');
const offsets = (messages: readonly Message[]): string => messages.map(({ offset }) => offset).join(', ');

export const isSame = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean =>
  one.size === other.size && [...one].every(([key, id]) => other.get(key) === id);
