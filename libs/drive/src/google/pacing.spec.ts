import { Backoff } from './pacing.js';

it('waits twice as long after each failure, 64 s at most, and from the start after a success', () => {
  const backoff = new Backoff();
  let sentAt = performance.now();
  for (let n = 0; n < 9; n += 1) {
    const wait = backoff.failed(sentAt);
    sentAt = performance.now() + wait;
    const least = Math.min(1_000 * 2 ** n, 64_000);
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(Math.min(least + 1_000, 64_000));
  }
  backoff.succeeded();
  expect(backoff.failed(performance.now())).toBeLessThanOrEqual(2_000);
});

it('takes requests for one failure that were sent before the wait after the first was over', () => {
  const backoff = new Backoff();
  for (let n = 0; n < 10; n += 1) expect(backoff.failed(performance.now() + n)).toBeLessThanOrEqual(2_000);
});

it('waits longer where Google says so, and no shorter', () => {
  const backoff = new Backoff();
  expect(backoff.failed(performance.now(), 100_000)).toBe(100_000);
  expect(backoff.failed(performance.now() + 100_000, 1)).toBeGreaterThanOrEqual(2_000);
});
