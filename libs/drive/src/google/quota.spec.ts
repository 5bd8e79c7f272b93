import { jest } from '@jest/globals';
import { Stop } from '../pause.js';
import { Quota } from './quota.js';

const never = new Stop().signal;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Asks for all at once, and records what is let through. */
function ask(quota: Quota, user: string, bandId: string, units: number, times: number): number[] {
  const grants: number[] = [];
  for (let n = 0; n < times; n += 1)
    void quota
      .of(user)
      .take(bandId, units, never)
      .then(() => grants.push(Date.now()));
  return grants;
}

/** In no minute, wherever it begins. */
function mostInAMinute(grants: number[], units: number): number {
  return Math.max(...grants.map((from) => grants.filter((at) => at >= from && at < from + 60_000).length * units));
}

it('lets no more units through in any minute than a user has', async () => {
  const grants = ask(
    new Quota({ unitsPerMinutePerProject: 1_000_000, unitsPerMinutePerUser: 62_000 }),
    'a',
    'band',
    500,
    500,
  );
  await jest.advanceTimersByTimeAsync(300_000);
  expect(grants).toHaveLength(500);
  expect(mostInAMinute(grants, 500)).toBeLessThanOrEqual(62_000);
  expect(mostInAMinute(grants, 500)).toBeGreaterThan(59_000);
});

it('lets no more units through in any minute than a project has, whoever of its users asks', async () => {
  const quota = new Quota({ unitsPerMinutePerProject: 62_000, unitsPerMinutePerUser: 50_000 });
  const grants = [ask(quota, 'a', 'band 1', 500, 200), ask(quota, 'b', 'band 2', 500, 200)];
  await jest.advanceTimersByTimeAsync(300_000);
  expect(grants.map((one) => one.length)).toEqual([200, 200]);
  expect(mostInAMinute(grants.flat(), 500)).toBeLessThanOrEqual(62_000);
});

it('takes the bands in turns, so that a large one does not hold up a small one', async () => {
  const quota = new Quota({ unitsPerMinutePerProject: 1_000_000, unitsPerMinutePerUser: 62_000 });
  const large = ask(quota, 'a', 'large', 100, 1_000);
  const small = ask(quota, 'a', 'small', 100, 3);
  await jest.advanceTimersByTimeAsync(900);
  expect(small).toHaveLength(3);
  expect(large).toHaveLength(7);
});

it('halves the pace once for the requests that were refused together, and gives it back by and by', async () => {
  const user = new Quota().of('a');
  const together = [await user.take('band', 5, never), await user.take('band', 5, never)];
  await jest.advanceTimersByTimeAsync(1);
  for (const grant of together) user.refused(grant);
  expect(user.pace).toBe(0.5);
  const later = await user.take('band', 5, never);
  await jest.advanceTimersByTimeAsync(1);
  user.refused(later);
  expect(user.pace).toBe(0.25);

  for (let windows = 0; windows < 6; windows += 1) {
    await jest.advanceTimersByTimeAsync(6_000);
    await user.take('band', 5, never);
  }
  expect(user.pace).toBe(1);
});

it('lets nothing through before the time that Google named', async () => {
  const quota = new Quota();
  const user = quota.of('a');
  user.refused(await user.take('band', 5, never), 10_000);
  const grants = ask(quota, 'a', 'band', 5, 1);
  await jest.advanceTimersByTimeAsync(9_900);
  expect(grants).toEqual([]);
  await jest.advanceTimersByTimeAsync(200);
  expect(grants).toHaveLength(1);
});

it('lets a request through that costs more than there is in a while', async () => {
  const grants = ask(new Quota({ unitsPerMinutePerProject: 110, unitsPerMinutePerUser: 110 }), 'a', 'band', 200, 2);
  await jest.advanceTimersByTimeAsync(61_000);
  expect(grants).toHaveLength(2);
});

it('forgets who does not wait any more', async () => {
  const quota = new Quota({ unitsPerMinutePerProject: 110, unitsPerMinutePerUser: 110 });
  ask(quota, 'a', 'band', 200, 1);
  const stop = new AbortController();
  const waiting = expect(quota.of('a').take('band', 200, stop.signal)).rejects.toThrow('stopped');
  const next = ask(quota, 'a', 'band', 200, 1);
  stop.abort(new Error('stopped'));
  await waiting;
  await jest.advanceTimersByTimeAsync(61_000);
  expect(next).toHaveLength(1);
});
