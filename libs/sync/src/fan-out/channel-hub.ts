import type { Message, Position } from '@soleil/sync-protocol';
import { controlOf, isControl, rightEnded, type Control } from '../log/control-message.js';
import type { LogReader, Pruned } from '../log/log-reader.js';
import type { Batch } from '../log/sequence-batch.js';
import { firstFrame, Frames, type WeighedFrame } from './frames.js';
import { History, type PositionLoss } from './history.js';
import { Pages } from './pages.js';
import type { Reader, ReaderSocket } from './reader.js';
import { Rights } from './rights.js';
import { Room, type RoomMember } from './room.js';
import { needsFrom, type Step } from './step.js';
import { Tail } from './tail.js';
import type { Turns } from './turns.js';
import type { WeighedSignal } from '../signals/weighed-signal.js';

export interface HubOptions {
  /** Messages kept in memory for readers that come back. */
  tailMessages: number;
  /** Messages in one page of a reader that catches up. */
  pageMessages: number;
  /** Bytes in one frame, but for a single message that is larger. */
  frameBytes: number;
  /** A reader further behind than this gets only the latest of each key. */
  compactAfterMessages: number;
}

/** What a hub needs of its node. */
export interface HubNode {
  /** Obeys, before this returns: nothing later may be sent to whom it concerns. */
  obey(control: Control): void;
}

/**
 * One channel on this node: where its head stands, who stands at it, and pages for those behind. The head only moves
 * forward and only without holes; what lies at or below it is dropped, so a leader that resumes late harms nothing.
 *
 * What contradicts the history known here (another epoch at an offset, a head that has gone back) means that the database
 * was set back, to a backup for instance: the hub is founded anew on what the log says now, and readers whose position
 * that log never reached begin anew.
 *
 * Control messages are obeyed as they come, before what came with them is told, and devices are not sent them.
 */
export class ChannelHub {
  readonly readers = new Set<Reader>();
  private readonly room: Room;
  private readonly tail: Tail;
  private history: History | null = null;
  /** How often the hub was founded. What was read from the log before the last time is not to be trusted. */
  private foundings = 0;
  /** What readers were told until the hub was founded anew, while that goes on. */
  private former: History | null = null;
  private opening: Promise<void> | null = null;
  /** The highest offset heard of; above the head while something is missing here. */
  private heardOf = 0;
  private filling: Promise<void> | null = null;
  readonly rights: Rights;
  private readonly pages: Pages;
  private readonly frames: Frames;

  constructor(
    readonly channel: string,
    private readonly log: LogReader,
    private readonly options: HubOptions,
    private readonly node: HubNode,
    private readonly turns: Turns,
  ) {
    this.rights = new Rights(channel, log, this);
    this.tail = new Tail(options.tailMessages);
    this.pages = new Pages(channel, log, this.tail, options.pageMessages);
    this.frames = new Frames(channel);
    this.room = new Room({
      frameBytes: options.frameBytes,
      frameOf: (from, to, messages) => this.frames.make(this.known.epochAt(to), from, to, messages),
    });
  }

  /** Resolves when the head is known. What arrives meanwhile is noted and fetched. */
  async open(): Promise<void> {
    if (this.history) return;
    this.opening ??= this.load().finally(() => (this.opening = null));
    await this.opening;
  }

  /** False before {@link open} has resolved, and while the hub is founded anew. */
  get isOpen(): boolean {
    return this.history !== null;
  }

  /** Nobody follows the channel here, or is about to. */
  get isIdle(): boolean {
    return this.readers.size === 0 && this.room.isEmpty && !this.rights.isAwaited;
  }

  get founding(): number {
    return this.foundings;
  }

  get head(): number {
    return this.known.head;
  }

  get epoch(): string {
    return this.known.epoch;
  }

  /** See {@link History.prunedTo}. */
  get prunedTo(): number {
    return this.known.prunedTo;
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
    // During any wait the hub may have been founded anew.
    while (!this.history) await this.open();
    return this.history.lossOf(position);
  }

  /** Fresh from the sequencer of this node. */
  deliver(batch: Batch): void {
    const { history } = this;
    const last = { epoch: batch.epoch, offset: batch.to };
    if (!history || this.filling || batch.from > history.head + 1) return this.hear(last);
    if (batch.from <= history.head && history.contradicts({ epoch: batch.epoch, offset: batch.from }))
      return this.foundAnew();
    // A change of epochs is looked up: while this node heard nothing, the log may have been set back and grown again.
    if (history.head > 0 && batch.epoch !== history.epoch) return this.hear(last);
    this.heardOf = Math.max(this.heardOf, batch.to);
    this.append(batch.epoch, batch.messages);
  }

  /** A node says that the channel stands here, or stood here a moment ago. */
  hear(head: Position): void {
    this.heardOf = Math.max(this.heardOf, head.offset);
    const { history } = this;
    if (!history) this.openAgain();
    else if (head.offset > history.head) this.fill();
    else if (history.contradicts(head)) this.foundAnew();
  }

  /**
   * The log says that the channel stands here; null: it has no message.
   * @param knownBefore this hub's head when the log was asked, so that an answer below it is no late one
   */
  compare(head: (Position & Pruned) | null, knownBefore: number): void {
    this.rights.wake();
    if (head) this.heardOfPruning(head);
    if (this.history && (head?.offset ?? 0) < knownBefore) this.foundAnew();
    else if (head) this.hear(head);
  }

  /** Now and then: what is kept for devices that come back together. */
  tidy(): void {
    this.frames.forget();
  }

  /** Joins the room. A reader has seen, in this very turn, that it stands at the head. */
  join(member: RoomMember): void {
    this.room.join(member);
  }

  leave(member: RoomMember): void {
    this.room.leave(member);
  }

  /** To all who follow the channel here, wherever they stand. @param sender is not told */
  signal(signal: WeighedSignal, sender?: ReaderSocket): void {
    for (const reader of this.readers) if (reader.socket !== sender) reader.socket.signal(signal);
  }

  isFarBehind(cursor: number): boolean {
    return this.head - cursor > this.options.compactAfterMessages;
  }

  /**
   * What follows `cursor`, as one frame.
   * @param step set for a reader that is not told every message
   * @param mostBytes the frame is no larger, but for a single message that is
   * @returns null when it cannot be told from there: the hub was founded anew meanwhile, or retention has passed the reader
   */
  async page(cursor: number, step: Step | null, mostBytes: number): Promise<WeighedFrame | null> {
    const { founding } = this;
    const frameBytes = Math.min(mostBytes, this.options.frameBytes);
    const found = await (step
      ? this.pages.ofStep(cursor, step, frameBytes)
      : this.pages.ofAll(cursor, this.head, frameBytes));
    if (founding === this.founding) this.heardOfPruning(found);
    if (founding !== this.founding || !this.isOpen || needsFrom(cursor, step) < this.prunedTo) return null;
    const messages = firstFrame(found.messages, frameBytes);
    const to = messages.length === found.messages.length ? found.to : messages.at(-1)!.offset;
    const until = step && to < step.upTo ? { epoch: this.known.epochAt(step.upTo), offset: step.upTo } : null;
    return this.frames.ofPage(step?.name ?? 'all', this.known.epochAt(to), cursor + 1, to, messages, until);
  }

  private get known(): History {
    if (!this.history) throw new Error(`Channel ${this.channel} is used before it is open`);
    return this.history;
  }

  private async load(): Promise<void> {
    const { founding } = this;
    const { state, rightsEnded } = await this.log.opening(this.channel);
    if (founding !== this.founding) return this.load();
    const history = new History(state);
    this.history = history;
    this.rights.know(rightsEnded);
    const { former } = this;
    this.former = null;
    if (this.heardOf > history.head) this.fill();
    if (!former) return;
    for (const reader of this.readers) reader.historyChanged(former, history);
    for (const reader of this.readers) reader.pump();
  }

  /** Forgets what contradicts the log, and begins with what the log says now. */
  private foundAnew(): void {
    this.former ??= this.history;
    this.history = null;
    this.foundings += 1;
    this.heardOf = 0;
    this.filling = null;
    this.tail.clear();
    this.pages.forget();
    this.frames.forget();
    this.room.forget();
    this.rights.wake();
    this.openAgain();
  }

  private openAgain(): void {
    // The next hint, at the latest the poll's, tries again.
    this.open().catch(() => undefined);
  }

  /** Reads what is between the head and what was heard of, then goes on from memory. */
  private fill(): void {
    if (!this.history) return;
    // The next hint, at the latest the poll's, tries again.
    this.readMissing().catch(() => undefined);
  }

  /** One at a time: of two, one would take what the other has appended meanwhile for a contradiction. */
  private async readMissing(): Promise<void> {
    if (this.history && this.history.head < this.heardOf) await (this.filling ??= this.readOn());
  }

  private async readOn(): Promise<void> {
    const { founding } = this;
    try {
      while (this.founding === founding && this.known.head < this.heardOf) {
        const { heardOf } = this;
        const state = await this.log.state(this.channel);
        if (this.founding !== founding) return;
        const history = new History(state);
        if (!this.known.isContinuedBy(history)) return this.foundAnew();
        if (state.head === this.known.head) {
          // What was heard of is not in the log: the next hint tries again.
          if (heardOf === this.heardOf) return;
          continue;
        }
        const after = this.known.head;
        const page = await this.log.page({
          channel: this.channel,
          after,
          upTo: state.head,
          limit: this.options.pageMessages,
        });
        if (this.founding === founding) this.heardOfPruning(page);
        if (this.founding !== founding) return;
        const { messages } = page;
        // Retention has left holes where this node had not come yet: readers go on from the log, each for itself.
        if (messages.at(-1)?.offset !== after + messages.length) return this.foundAnew();
        for (const run of runsOfOneEpoch(messages, history)) this.append(history.epochAt(run[0]!.offset), run);
      }
    } finally {
      // In the turn in which the loop ends: what is delivered after that must be taken or start the next one.
      if (this.founding === founding) this.filling = null;
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
    // Obeyed before any of this is told: whom they concern has left the room by then.
    for (const message of fresh) if (isControl(message)) this.obey(message);
    this.room.add(fresh.filter((message) => !isControl(message)));
    if (this.room.hasUntold) this.turns.add(this.room);
  }

  private obey(message: Message): void {
    const control = controlOf(message);
    if (!control) return;
    if (control.type === rightEnded) this.rights.end(control.data.userId, message.offset);
    this.node.obey(control);
    this.rights.wake();
  }

  private heardOfPruning({ prunedTo }: Pruned): void {
    const { history } = this;
    if (!history || prunedTo <= history.prunedTo) return;
    // Retention has passed this node.
    if (prunedTo > history.head) this.foundAnew();
    else history.prunedTo = prunedTo;
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
