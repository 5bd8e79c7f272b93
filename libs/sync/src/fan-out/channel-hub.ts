import type { Message, MessagesFrame, Position } from '@soleil/sync-protocol';
import type { LogReader } from '../log/log-reader.js';
import type { Batch } from '../log/sequence-batch.js';
import { History, type PositionLoss } from './history.js';
import type { Reader } from './reader.js';
import { Tail } from './tail.js';

export interface HubOptions {
  /** Messages kept in memory for readers that come back. */
  tailMessages: number;
  /** Messages in one page of a reader that catches up. */
  pageMessages: number;
  /** Bytes of messages in one frame, but for a single message that is larger. */
  frameBytes: number;
  /** A reader further behind than this gets only the latest of each key. */
  compactAfterMessages: number;
}

/** Sends one frame to every reader that stands at the head: one encoding for all. */
export type Broadcast = (channel: string, frame: MessagesFrame) => void;

/** A frame and what it weighs in a window. */
export interface WeighedFrame {
  frame: MessagesFrame;
  bytes: number;
}

/**
 * One channel on this node: where its head stands, who stands at it, and pages for those behind. The head only moves
 * forward and only without holes; what lies at or below it is dropped, so a leader that resumes late harms nothing.
 */
export class ChannelHub {
  readonly readers = new Set<Reader>();
  private readonly room = new Set<Reader>();
  private readonly tail: Tail;
  private history: History | null = null;
  private opening: Promise<void> | null = null;
  /** The highest offset heard of; above the head while something is missing here. */
  private heardOf = 0;
  private filling = false;
  /** Pages being read, so that readers at one place share one. */
  private readonly pages = new Map<string, Promise<Message[]>>();

  constructor(
    readonly channel: string,
    private readonly log: LogReader,
    private readonly options: HubOptions,
    private readonly broadcast: Broadcast,
  ) {
    this.tail = new Tail(options.tailMessages);
  }

  /** Resolves when the head is known. What arrives meanwhile is noted and fetched. */
  async open(): Promise<void> {
    this.opening ??= this.load();
    try {
      await this.opening;
    } catch (error) {
      this.opening = null;
      throw error;
    }
  }

  get head(): number {
    return this.known.head;
  }

  get epoch(): string {
    return this.known.epoch;
  }

  /**
   * @returns null when everything after `position` can be told. A position may come from a node that is ahead of this one,
   *   so the log is looked at before one is called lost.
   */
  async lossOf(position: Position): Promise<PositionLoss | null> {
    if (!this.known.lossOf(position)) return null;
    const { head } = await this.log.state(this.channel);
    this.heardOf = Math.max(this.heardOf, head);
    await this.readMissing();
    return this.known.lossOf(position);
  }

  /** Fresh from the sequencer of this node. */
  deliver(batch: Batch): void {
    this.heardOf = Math.max(this.heardOf, batch.to);
    if (!this.history || this.filling || batch.from > this.history.head + 1) {
      this.fill();
      return;
    }
    this.append(batch.epoch, batch.messages);
  }

  /** A node says that the channel stands here. */
  hear(head: number): void {
    if (head <= this.heardOf && this.history && head <= this.history.head) return;
    this.heardOf = Math.max(this.heardOf, head);
    this.fill();
  }

  /** Joins the room. The caller has seen, in this very turn, that it stands at the head. */
  join(reader: Reader): void {
    this.room.add(reader);
  }

  leave(reader: Reader): void {
    this.room.delete(reader);
  }

  isFarBehind(cursor: number): boolean {
    return cursor === 0 || this.head - cursor > this.options.compactAfterMessages;
  }

  /**
   * What follows `cursor`, as one frame.
   * @param bound set while catching up by the latest of each key: the head at which that began
   */
  async page(cursor: number, bound: number | null): Promise<WeighedFrame> {
    const limit = this.options.pageMessages;
    const upTo = bound ?? this.head;
    const found =
      bound === null
        ? (this.tail.after(cursor, limit) ?? (await this.read(cursor, upTo, false, limit)))
        : await this.read(cursor, upTo, true, limit);
    const messages = this.firstFrame(found);
    const isLast = messages.length === found.length && found.length < limit;
    const to = isLast ? Math.max(upTo, messages.at(-1)?.offset ?? 0) : messages.at(-1)!.offset;
    return this.frame(cursor + 1, to, messages, bound !== null && to < upTo);
  }

  private get known(): History {
    if (!this.history) throw new Error(`Channel ${this.channel} is used before it is open`);
    return this.history;
  }

  private async load(): Promise<void> {
    this.history = new History(await this.log.state(this.channel));
    if (this.heardOf > this.history.head) this.fill();
  }

  /** Reads what is between the head and what was heard of, then goes on from memory. */
  private fill(): void {
    if (!this.history || this.filling) return;
    // The next hint, at the latest the poll's, tries again.
    this.readMissing().catch(() => undefined);
  }

  private async readMissing(): Promise<void> {
    this.filling = true;
    try {
      while (this.known.head < this.heardOf) {
        const state = await this.log.state(this.channel);
        const messages = await this.log.page({
          channel: this.channel,
          after: this.known.head,
          upTo: state.head,
          compacted: false,
          limit: this.options.pageMessages,
        });
        if (messages.length === 0) return;
        const history = new History(state);
        for (const run of runsOfOneEpoch(messages, history)) this.append(history.epochAt(run[0]!.offset), run);
      }
    } finally {
      // In the turn in which the loop ends: what is delivered after that must be taken or start the next one.
      this.filling = false;
    }
  }

  private append(epoch: string, messages: readonly Message[]): void {
    const history = this.known;
    const fresh = messages.filter((message) => message.offset > history.head);
    const first = fresh[0];
    const last = fresh.at(-1);
    if (!first || !last) return;
    history.advance(epoch, first.offset, last.offset);
    this.tail.push(fresh);
    if (this.room.size === 0) return;
    for (let rest = fresh; rest.length > 0 && this.room.size > 0;) {
      const messages = this.firstFrame(rest);
      const weighed = this.frame(messages[0]!.offset, messages.at(-1)!.offset, messages, false);
      this.broadcast(this.channel, weighed.frame);
      for (const reader of this.room) reader.broadcastSent(weighed);
      rest = rest.slice(messages.length);
    }
  }

  /** As many of the messages as one frame may hold, at least one. */
  private firstFrame(messages: Message[]): Message[] {
    let bytes = 0;
    const end = messages.findIndex(
      (message, index) => (bytes += JSON.stringify(message).length) > this.options.frameBytes && index > 0,
    );
    return end < 0 ? messages : messages.slice(0, end);
  }

  private async read(after: number, upTo: number, compacted: boolean, limit: number): Promise<Message[]> {
    const key = `${after}:${upTo}:${compacted}`;
    let page = this.pages.get(key);
    if (!page) {
      page = this.log.page({ channel: this.channel, after, upTo, compacted, limit }).finally(() => this.pages.delete(key));
      this.pages.set(key, page);
    }
    return page;
  }

  private frame(from: number, to: number, messages: Message[], more: boolean): WeighedFrame {
    const frame: MessagesFrame = { channel: this.channel, epoch: this.known.epochAt(to), from, to, messages };
    if (more) frame.more = true;
    return { frame, bytes: Buffer.byteLength(JSON.stringify(frame)) };
  }
}

function runsOfOneEpoch(messages: readonly Message[], history: History): Message[][] {
  const runs: Message[][] = [];
  let epoch: string | null = null;
  for (const message of messages) {
    const own = history.epochAt(message.offset);
    if (own !== epoch) runs.push([]);
    epoch = own;
    runs.at(-1)!.push(message);
  }
  return runs;
}
