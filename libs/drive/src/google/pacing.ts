const longestWaitMs = 64_000;

/** How long Google asks to wait after so many failures in a row, from 1 on; longer where it said so itself. */
export function waitMs(failures: number, retryAfterMs = 0): number {
  const backoff = Math.min(1_000 * 2 ** (failures - 1) + Math.random() * 1_000, longestWaitMs);
  return Math.max(backoff, retryAfterMs);
}
