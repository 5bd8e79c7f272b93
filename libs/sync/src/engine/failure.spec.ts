import { CodedError } from '@soleil/bus';
import { failureOf } from './failure.js';

const busy = { code: 'busy', message: 'Not just now.', remedy: 'Wait.', status: 503, retryable: true };
const hourMs = 3_600_000;

describe('what failed waits', () => {
  const waitMs = (attempts: number, error: unknown, options = { attempts: 1_000, retryBaseMs: 1_000 }): number | null =>
    failureOf({ attempts }, error, options).retryInMs;

  it('twice as long each time, give or take a quarter, and never for longer than an hour', () => {
    for (const [attempts, ms] of [
      [1, 1_000],
      [2, 2_000],
      [5, 16_000],
    ] as const) {
      expect(waitMs(attempts, new CodedError(busy))).toBeGreaterThanOrEqual(ms * 0.75);
      expect(waitMs(attempts, new CodedError(busy))).toBeLessThanOrEqual(ms * 1.25);
    }
    for (const attempts of [30, 999]) expect(waitMs(attempts, new CodedError(busy))).toBe(hourMs);
  });

  it('as long as its source asked, within the same hour', () => {
    expect(waitMs(1, new CodedError({ ...busy, retryAfterMs: 60_000 }))).toBe(60_000);
    expect(waitMs(999, new CodedError({ ...busy, retryAfterMs: 1e15 }))).toBe(hourMs);
  });
});
