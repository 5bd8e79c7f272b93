const longestWaitMs = 64_000;

/** How long Google asks to wait after so many failures in a row, from 1 on; longer where it said so itself. */
export function waitMs(failures: number, retryAfterMs = 0): number {
  const backoff = Math.min(1_000 * 2 ** (failures - 1) + Math.random() * 1_000, longestWaitMs);
  return Math.max(backoff, retryAfterMs);
}

/** For how long Google has been failing, over all requests of one source. Those that were under way together fail as one. */
export class Backoff {
  private failures = 0;
  private failedAt = -Infinity;

  /** @returns how long to wait before the next request */
  failed(sentAt: number, retryAfterMs?: number): number {
    if (sentAt >= this.failedAt) {
      this.failures += 1;
      this.failedAt = performance.now();
    }
    return waitMs(this.failures, retryAfterMs);
  }

  succeeded(): void {
    this.failures = 0;
  }
}
