import { DatabaseClock } from './database-clock.js';

test('tells the order of moments of two processes, however long answers took and whoever stood still meanwhile', () => {
  const [one, other] = [new DatabaseClock(), new DatabaseClock()];
  // The database's clock is 1,000 ahead of the first process's, and 5,000 ahead of the other's.
  for (const tookMs of [3_000, 40, 2, 900]) one.answered(1_100, 100 + tookMs);
  for (const tookMs of [5, 1, 80, 400]) other.answered(6_000, 1_000 + tookMs);
  const [first, second] = [one.at(500), other.at(-3_490)];
  expect(second - first).toBeGreaterThan(5);
  expect(second - first).toBeLessThan(15);
});

test('follows a clock that is set back', () => {
  const clock = new DatabaseClock();
  clock.answered(10_000, 0);
  expect(clock.at(0)).toBe(10_000);
  for (let n = 0; n < 32; n++) clock.answered(2_000, 0);
  expect(clock.at(0)).toBe(2_000);
});
