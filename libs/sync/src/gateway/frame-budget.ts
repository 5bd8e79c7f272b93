import { limits, SyncError, type UpEvent } from '@soleil/sync-protocol';

/** A burst of this length is let through. */
const burstSeconds = 2;
/** Who is refused this long, and goes on all the same, is sent away. */
const patienceSeconds = 10;

/** Bytes of frames that are being answered, at most: what a connection costs that asks more than is answered. */
const underWayBytes = 4 * limits.upFrameBytes;

/** What a frame takes of the budget, in tenths. Acknowledgements follow the server's own pace, and cost it little. */
const cost = (event: string): number => (event === ('ack' satisfies UpEvent) ? 1 : 10);

/**
 * How many frames a connection may send: so many a second on the average, with bursts. A frame beyond that is refused, and
 * counts all the same: who waits as told gets through, who does not ends up being disconnected. And how much of it may wait
 * for its answer.
 */
export class FrameBudget {
  /** In tenths of a frame. */
  private level: number;
  private at: number;
  private readonly perSecond: number;
  private underWay = 0;

  constructor(
    framesPerSecond: number,
    private readonly now: () => number,
  ) {
    this.perSecond = framesPerSecond * 10;
    this.level = this.perSecond * burstSeconds;
    this.at = now();
  }

  /** @returns `ok`, or how many milliseconds to wait; null: it has gone on for too long */
  take(event: string): 'ok' | { retryAfterMs: number } | null {
    const now = this.now();
    this.level = Math.min(this.level + ((now - this.at) / 1_000) * this.perSecond, this.perSecond * burstSeconds);
    this.at = now;
    this.level -= cost(event);
    if (this.level >= 0) return 'ok';
    if (this.level < -this.perSecond * patienceSeconds) return null;
    return { retryAfterMs: Math.ceil((-this.level / this.perSecond) * 1_000) };
  }

  /** @returns to be called when a frame of so many bytes is answered; null: too many are not */
  begin(bytes: number): (() => void) | null {
    if (this.underWay + bytes > underWayBytes) return null;
    this.underWay += bytes;
    return () => (this.underWay -= bytes);
  }
}

export const rateLimited = (framesPerSecond: number, details = {}): SyncError =>
  new SyncError('rate_limited', 'Too many frames in too short a time.', { framesPerSecond, ...details });
