import { Backoff } from './pacing.js';

it('waits twice as long after each failure, 64 s at most, and from the start after a success', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 9 }, () => backoff.failed(performance.now()));
  for (const [n, wait] of waits.entries()) {
    const least = Math.min(1_000 * 2 ** n, 64_000);
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(Math.min(least + 1_000, 64_000));
  }
  backoff.succeeded();
  expect(backoff.failed(performance.now())).toBeLessThanOrEqual(2_000);
});

it('takes requests that were under way together for one failure', () => {
  const backoff = new Backoff();
  const sentAt = performance.now() - 1;
  for (let n = 0; n < 10; n += 1) expect(backoff.failed(sentAt)).toBeLessThanOrEqual(2_000);
});

it('waits longer where Google says so, and no shorter', () => {
  const backoff = new Backoff();
  expect(backoff.failed(performance.now(), 100_000)).toBe(100_000);
  expect(backoff.failed(performance.now(), 1)).toBeGreaterThanOrEqual(2_000);
});
