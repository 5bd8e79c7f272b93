import type { ChannelHub, WeighedFrame } from './channel-hub.js';
import type { Window } from './window.js';

/** What a reader needs of its socket. */
export interface ReaderSocket {
  readonly window: Window;
  /** While true, no reader of this socket sends. */
  readonly isHeld: boolean;
  send(weighed: WeighedFrame): void;
  joinRoom(channel: string): void;
  leaveRoom(channel: string): void;
  /** The log could not be read; the reader stands still until {@link Reader.pump} is called again. */
  readFailed(reader: Reader, error: unknown): void;
}

/**
 * One subscription: a cursor in one channel's log.
 *
 *     lagging ──at the head, window below half──▶ in room
 *        ▲                                           │
 *        └───────────────window full─────────────────┘
 *
 * Lagging, it sends page after page, as far as the window lets it. In the room it gets what everybody gets. The step into
 * the room happens in the same turn of the event loop in which the cursor equals the head: no gap, no duplicate, no buffer.
 */
export class Reader {
  private state: 'lagging' | 'in_room' | 'closed' = 'lagging';
  private pumping = false;
  /** The head at which catching up by the latest of each key began. */
  private bound: number | null = null;

  constructor(
    readonly hub: ChannelHub,
    private readonly socket: ReaderSocket,
    private cursor: number,
  ) {
    hub.readers.add(this);
  }

  /** Everything up to here was sent. */
  get sentUpTo(): number {
    return this.cursor;
  }

  get isInRoom(): boolean {
    return this.state === 'in_room';
  }

  /** Goes on where there is room: at the start and after each acknowledgement. */
  pump(): void {
    if (this.pumping || this.state !== 'lagging') return;
    this.pumping = true;
    void this.catchUp();
  }

  /** The room got this frame, and so this reader's socket. */
  broadcastSent({ frame, bytes }: WeighedFrame): void {
    this.cursor = frame.to;
    this.socket.window.sent(this.hub.channel, frame.to, bytes);
    if (this.socket.window.isFull) this.leaveRoom();
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

  private async catchUp(): Promise<void> {
    try {
      while (this.state === 'lagging' && !this.socket.isHeld && !this.socket.window.isFull) {
        if (this.cursor === this.hub.head) {
          if (!this.socket.window.isBelowHalf) return;
          this.hub.join(this);
          this.socket.joinRoom(this.hub.channel);
          this.state = 'in_room';
          return;
        }
        if (this.bound === null && this.hub.isFarBehind(this.cursor)) this.bound = this.hub.head;
        const weighed = await this.hub.page(this.cursor, this.bound);
        if (this.state !== 'lagging' || this.socket.isHeld) return;
        this.cursor = weighed.frame.to;
        if (this.cursor === this.bound) this.bound = null;
        this.socket.send(weighed);
        this.socket.window.sent(this.hub.channel, weighed.frame.to, weighed.bytes);
      }
    } catch (error) {
      this.socket.readFailed(this, error);
    } finally {
      // In the turn in which the loop ends: two acknowledgements may come in one turn, and the second must not be lost.
      this.pumping = false;
    }
  }

  private leaveRoom(): void {
    this.state = 'lagging';
    this.hub.leave(this);
    this.socket.leaveRoom(this.hub.channel);
  }
}
