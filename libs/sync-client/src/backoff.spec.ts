import { backoffMs } from './backoff.js';

test('spreads over a width that doubles with every failure, up to the longest wait', () => {
  const widest = [0, 1, 2, 3, 4, 5, 9, 99].map((failures) => backoffMs(failures, 250, 8_000, () => 0.9999));
  expect(widest).toEqual([500, 500, 1_000, 2_000, 4_000, 7_999, 7_999, 7_999]);
  expect(backoffMs(5, 250, 8_000, () => 0)).toBe(250);
});
