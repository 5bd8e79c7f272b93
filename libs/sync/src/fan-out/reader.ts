import type { ChannelHub } from './channel-hub.js';
import type { WeighedFrame } from './frames.js';
import type { History, PositionLoss } from './history.js';
import type { RoomMember } from './room.js';
import { needsFrom, Step } from './step.js';
import type { Window } from './window.js';
import type { WeighedSignal } from '../signals/weighed-signal.js';

/** What a reader needs of its socket. */
export interface ReaderSocket {
  readonly window: Window;
  /** While true, no reader of this socket sends. */
  readonly isHeld: boolean;
  send(weighed: WeighedFrame): void;
  signal(signal: WeighedSignal): void;
  /** The window is full: every reader of this socket steps back, so that it costs one window and not one for each channel. */
  windowFilled(): void;
  /** Readers that stood still because another one was reading a page may go on. */
  pumpAll(): void;
  /** What the device has of this channel belongs to a history that is gone; the state from the start follows. */
  reset(channel: string, epoch: string, loss: PositionLoss): void;
  /** The log was set back, and whose rights it tells of with it: nothing is sent before they were asked for. */
  askAnew(): void;
  /** The log could not be read; the reader stands still until {@link Reader.pump} is called again. */
  readFailed(reader: Reader, error: unknown): void;
}

/**
 * One subscription: a cursor in one channel's log.
 *
 *     lagging ──at the head, window below half──▶ in room
 *        ▲                                           │
 *        └─────────window full · history changed─────┘
 *
 * Lagging, it sends page after page, as far as half of the window lets it. In the room it gets what everybody gets. The step into
 * the room happens in the same turn of the event loop in which the cursor equals the head: no gap, no duplicate, no buffer.
 */
export class Reader implements RoomMember {
  private state: 'lagging' | 'in_room' | 'closed' = 'lagging';
  private pumping = false;
  private cursor: number;
  /** Set while catching up by the latest of each key. */
  private step: Step | null = null;
  /** What lies between was told, in parts, by the latest of each key: what is superseded of it is known once all is acknowledged. */
  private inParts: { after: number; upTo: number } | null = null;
  /** The user's right was asked for when the channel stood here, or later. */
  private entitledAt: number;
  /** Where the channel stood when it was subscribed to: the device takes itself for behind until it gets there. */
  private readonly awaited: number;

  /**
   * @param after what the device has; null: nothing, it gets the state as of the head of this moment, and then every message
   * @param until where a step ends in whose middle the device is
   */
  constructor(
    readonly hub: ChannelHub,
    readonly socket: ReaderSocket,
    after: number | null,
    until = 0,
  ) {
    hub.readers.add(this);
    this.cursor = after ?? 0;
    this.entitledAt = hub.head;
    this.awaited = hub.head;
    if (after === null) this.step = stateAsOf(hub.head);
    else if (after < until) this.inParts = { after: 0, upTo: until };
  }

  /** Everything up to here was sent. */
  get sentUpTo(): number {
    return this.cursor;
  }

  get isInRoom(): boolean {
    return this.state === 'in_room';
  }

  /** Offsets that are still to be told. */
  get behind(): number {
    return this.hub.isOpen ? Math.max(this.hub.head - this.cursor, 0) : 0;
  }

  /** Goes on where there is room: at the start and after each acknowledgement. */
  pump(): void {
    if (this.pumping || this.state !== 'lagging' || !this.hub.isOpen) return;
    this.pumping = true;
    void this.catchUp();
  }

  /** The device has stored what it was sent up to `offset`. @returns up to where it knows everything */
  acknowledged(offset: number): number {
    if (!this.inParts) return offset;
    if (offset < this.inParts.upTo) return Math.min(offset, this.inParts.after);
    this.inParts = null;
    return offset;
  }

  tell(weighed: WeighedFrame): void {
    const { frame, bytes } = weighed;
    const { window } = this.socket;
    this.cursor = frame.to;
    this.socket.send(weighed);
    window.sent(this.hub.channel, frame.to, bytes);
    if (window.isFull) this.socket.windowFilled();
  }

  /**
   * The log's history turned out to be another one than this reader was told. What both share stays; a reader beyond that, or
   * whose device waits for what is beyond that, begins anew.
   */
  historyChanged(before: History, now: History): void {
    this.stepBack();
    this.socket.askAnew();
    // Nothing of it was sent yet.
    if (this.step?.extent === 'changes' && this.cursor === this.step.after) this.step = null;
    // In the middle of a step the device has what was the latest at the step's end, and not at the cursor.
    const offset = this.step?.upTo ?? Math.max(this.cursor, this.awaited);
    this.entitledAt = Math.min(this.entitledAt, this.cursor);
    const loss = now.lossOf({ epoch: before.epochAt(offset), offset });
    if (loss) this.startOver(loss);
  }

  /** Resolves when {@link rightGranted} may be told, of a right that is known to have been granted again. */
  async rightIsSettled(userId: string): Promise<void> {
    if (this.lostRight(userId)) await this.hub.rights.settled(userId);
  }

  /** Where the user's right ended meanwhile, and was granted again, they begin with the state, as anybody new. */
  rightGranted(userId: string): void {
    if (this.lostRight(userId)) this.startOver('rights_renewed');
  }

  private lostRight(userId: string): boolean {
    return this.hub.isOpen && this.hub.rights.endedAt(userId) > this.entitledAt;
  }

  /** Leaves the room, as a reader whose window is full does. */
  stepBack(): void {
    if (this.state === 'in_room') this.leaveRoom();
  }

  close(): void {
    if (this.state === 'in_room') this.leaveRoom();
    this.state = 'closed';
    this.hub.readers.delete(this);
    this.socket.window.forget(this.hub.channel);
  }

  private startOver(loss: PositionLoss): void {
    const { channel, head, epoch } = this.hub;
    this.stepBack();
    this.socket.window.forget(channel);
    this.cursor = 0;
    this.inParts = null;
    this.step = stateAsOf(head);
    this.entitledAt = head;
    this.socket.reset(channel, epoch, loss);
  }

  private async catchUp(): Promise<void> {
    try {
      while (this.state === 'lagging' && !this.socket.isHeld && this.socket.window.isBelowHalf && this.hub.isOpen) {
        if (needsFrom(this.cursor, this.step) < this.hub.prunedTo) this.startOver('position_expired');
        if (this.cursor === this.hub.head) {
          this.hub.join(this);
          this.state = 'in_room';
          return;
        }
        if (!this.step && this.hub.isFarBehind(this.cursor)) this.step = new Step('changes', this.cursor, this.hub.head);
        const { cursor, step } = this;
        const weighed = await this.readPage();
        if (this.state !== 'lagging') return this.socket.pumpAll();
        // In the rooms of other channels more may have come meanwhile.
        if (this.socket.isHeld || this.socket.window.isFull) return;
        // Meanwhile this reader may have started over, or it has to.
        if (!weighed || cursor !== this.cursor || step !== this.step) continue;
        if (weighed.frame.to === step?.upTo) this.step = null;
        else if (step) this.inParts = { after: this.inParts?.after ?? step.after, upTo: step.upTo };
        this.tell(weighed);
        this.socket.pumpAll();
      }
    } catch (error) {
      this.socket.readFailed(this, error);
    } finally {
      // In the turn in which the loop ends: two acknowledgements may come in one turn, and the second must not be lost.
      this.pumping = false;
    }
  }

  private async readPage(): Promise<WeighedFrame | null> {
    const { window } = this.socket;
    const mostBytes = window.limitBytes / 4;
    const arrived = window.expect(mostBytes);
    return this.hub.page(this.cursor, this.step, mostBytes).finally(arrived);
  }

  private leaveRoom(): void {
    this.state = 'lagging';
    this.hub.leave(this);
  }
}

/** @returns null where there is no state to tell */
const stateAsOf = (head: number): Step | null => (head === 0 ? null : new Step('state', 0, head));
