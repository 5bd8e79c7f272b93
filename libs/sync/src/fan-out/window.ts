interface InFlight {
  to: number;
  bytes: number;
  sentAt: number;
  /** What was on its way with it, itself included, in bytes. */
  withIt: number;
}

/** Unacknowledged bytes that a new socket may have. */
const startBytes = 64 * 1024;
/** What a slow line is narrowed down to: a quarter of a second at 1 Mbit/s. */
const leastBytes = 32 * 1024;
/** A line that empties a full window within this time could take twice as much, … */
const fastMs = 200;
/** … and an acknowledgement that took longer than this says that too much is on its way. */
const slowMs = 400;

/**
 * The unacknowledged bytes of one socket. A client that reads slowly fills its window and then costs no more than that:
 * its channels go on from the log as it acknowledges. One that acknowledges what it did not read, or gives up its channels, makes no
 * room by it: what has not left this process counts, too.
 *
 * How much may be on its way follows the line. Where the window was what kept readers waiting, it doubles while the line is
 * quick and narrows while acknowledgements are late. So a fast device is not held up by the pace of its
 * acknowledgements, and on a slow line a message of another channel does not queue behind seconds of pages. The first frames
 * of a catch-up come quickly on any line, as nothing is on its way before them: what counts is how long a full window takes.
 */
export class Window {
  private readonly inFlight = new Map<string, InFlight[]>();
  private bytes = 0;
  private expected = 0;
  private waitingSince: number | null = null;
  private limit: number;
  /** Readers had to wait for it since it was last changed. */
  private wasFelt = false;
  private changedAt = 0;

  /** @param mostBytes how far the window may open */
  constructor(
    private readonly mostBytes: number,
    private readonly now: () => number,
    /** Bytes of whatever was sent to the socket that have not left this process. */
    private readonly unsent: () => number = () => 0,
  ) {
    this.limit = Math.min(startBytes, mostBytes);
  }

  /** How far it is open now, in bytes. */
  get limitBytes(): number {
    return this.limit;
  }

  /** Readers that stand at the head step back from here on. */
  get isFull(): boolean {
    return this.bytes >= this.limit || this.unsent() >= this.limit;
  }

  /**
   * A reader that catches up sends only below this, and joins the room only below this: the other half is for what
   * happens meanwhile in the channels that are at their head.
   */
  get isBelowHalf(): boolean {
    return (Math.max(this.bytes, this.unsent()) + this.expected) * 2 < this.limit;
  }

  get unacknowledgedBytes(): number {
    return this.bytes;
  }

  /**
   * A page of so many bytes is being read, to be sent: so many channels can be read for that the window will take what
   * comes of it, and no more, or it would be read in vain.
   * @returns to be called when it is there
   */
  expect(bytes: number): () => void {
    this.expected += bytes;
    return () => (this.expected -= bytes);
  }

  sent(channel: string, to: number, bytes: number): void {
    const now = this.now();
    this.bytes += bytes;
    const entry = { to, bytes, sentAt: now, withIt: this.bytes };
    const entries = this.inFlight.get(channel);
    if (entries) entries.push(entry);
    else this.inFlight.set(channel, [entry]);
    this.waitingSince ??= now;
    if (this.isHalfOwed) this.wasFelt = true;
  }

  /** Cumulative. @returns false when `offset` acknowledges nothing that is in flight */
  acknowledged(channel: string, offset: number): boolean {
    const entries = this.inFlight.get(channel);
    if (!entries) return false;
    const kept = entries.findIndex(({ to }) => to > offset);
    const done = kept < 0 ? entries.splice(0) : entries.splice(0, kept);
    const newest = done.at(-1);
    if (!newest) return false;
    if (entries.length === 0) this.inFlight.delete(channel);
    this.release(done);
    this.follow(newest);
    return true;
  }

  /** The channel ended; nobody will acknowledge what was sent of it. */
  forget(channel: string): void {
    const entries = this.inFlight.get(channel);
    this.inFlight.delete(channel);
    if (entries) this.release(entries);
  }

  /** Milliseconds that something has been waiting for an acknowledgement without any arriving. */
  get silentMs(): number {
    return this.waitingSince === null ? 0 : this.now() - this.waitingSince;
  }

  private get isHalfOwed(): boolean {
    return this.bytes * 2 >= this.limit;
  }

  private release(entries: readonly InFlight[]): void {
    for (const { bytes } of entries) this.bytes -= bytes;
    this.waitingSince = this.bytes > 0 ? this.now() : null;
  }

  /** @param newest the last frame that the acknowledgement speaks for */
  private follow({ sentAt, withIt }: InFlight): void {
    if (!this.wasFelt) return;
    const now = this.now();
    const ms = now - sentAt;
    if ((ms * this.limit) / withIt < fastMs) this.limit = Math.min(this.limit * 2, this.mostBytes);
    // What was sent before the last change says nothing of it.
    else if (ms > slowMs && now - this.changedAt > ms) {
      this.limit = Math.max(Math.ceil((this.limit * 3) / 4), Math.min(leastBytes, this.mostBytes));
      this.changedAt = now;
    }
    this.wasFelt = this.isHalfOwed;
  }
}
