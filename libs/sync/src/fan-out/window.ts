interface InFlight {
  channel: string;
  to: number;
  bytes: number;
}

/**
 * The unacknowledged bytes of one socket. A client that reads slowly fills its window and then costs no more than that:
 * its channels go on from the log as it acknowledges.
 */
export class Window {
  private readonly inFlight: InFlight[] = [];
  private bytes = 0;
  private waitingSince: number | null = null;

  constructor(
    private readonly limitBytes: number,
    private readonly now: () => number,
  ) {}

  get isFull(): boolean {
    return this.bytes >= this.limitBytes;
  }

  /** A reader joins the room only below this, so that it does not fall out again with the next message. */
  get isBelowHalf(): boolean {
    return this.bytes * 2 < this.limitBytes;
  }

  get unacknowledgedBytes(): number {
    return this.bytes;
  }

  sent(channel: string, to: number, bytes: number): void {
    this.inFlight.push({ channel, to, bytes });
    this.bytes += bytes;
    this.waitingSince ??= this.now();
  }

  /** Cumulative. @returns false when `offset` acknowledges nothing that is in flight */
  acknowledged(channel: string, offset: number): boolean {
    return this.drop((entry) => entry.channel === channel && entry.to <= offset);
  }

  /** The channel ended; nobody will acknowledge what was sent of it. */
  forget(channel: string): void {
    this.drop((entry) => entry.channel === channel);
  }

  /** Milliseconds that something has been waiting for an acknowledgement without any arriving. */
  get silentMs(): number {
    return this.waitingSince === null ? 0 : this.now() - this.waitingSince;
  }

  private drop(done: (entry: InFlight) => boolean): boolean {
    let kept = 0;
    const before = this.inFlight.length;
    for (const entry of this.inFlight) {
      if (done(entry)) this.bytes -= entry.bytes;
      else this.inFlight[kept++] = entry;
    }
    this.inFlight.length = kept;
    if (kept < before) this.waitingSince = kept > 0 ? this.now() : null;
    return kept < before;
  }
}
