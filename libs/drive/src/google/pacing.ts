const longestWaitMs = 64_000;
/** By so much a timer may be early. */
const timerSlackMs = 1;

/** How long Google asks to wait after so many failures in a row, from 1 on; longer where it said so itself. */
export function waitMs(failures: number, retryAfterMs = 0): number {
  const backoff = Math.min(1_000 * 2 ** (failures - 1) + Math.random() * 1_000, longestWaitMs);
  return Math.max(backoff, retryAfterMs);
}

/**
 * For how long Google has been failing, over all requests of one source. Those that were sent before the wait was over fail as one: of many
 * that find out one after another, none waits for longer than the first.
 */
export class Backoff {
  private failures = 0;
  private waitsUntil = -Infinity;

  /** @returns how long to wait before the next request */
  failed(sentAt: number, retryAfterMs?: number): number {
    if (sentAt < this.waitsUntil) return waitMs(this.failures, retryAfterMs);
    this.failures += 1;
    const ms = waitMs(this.failures, retryAfterMs);
    this.waitsUntil = performance.now() + ms - timerSlackMs;
    return ms;
  }

  succeeded(): void {
    this.failures = 0;
  }
}
