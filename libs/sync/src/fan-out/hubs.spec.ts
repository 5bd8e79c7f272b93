import { jest } from '@jest/globals';
import type { NodeLink } from '../log/node-link.js';
import type { LogReader } from '../log/log-reader.js';
import { Hubs } from './hubs.js';

const options = {
  tailMessages: 9,
  pageMessages: 9,
  frameBytes: 9_999,
  compactAfterMessages: 99,
  pollMs: 1_000,
  socketsPerTurn: 64,
};

/** A log with one message in `band:b1`, and which channels its heads were asked of, each time. */
function world(rightHasChanged = async (): Promise<boolean> => true) {
  const polls: string[][] = [];
  const state = (channel: string) => ({
    head: channel === 'band:b1' ? 1 : 0,
    epochs: channel === 'band:b1' ? [{ epoch: 'e1', beganAt: 1 }] : [],
    prunedTo: 0,
  });
  const log = {
    opening: async (channel: string) => ({ state: state(channel), rightsEnded: new Map() }),
    heads: async (channels: string[]) => {
      polls.push(channels);
      return new Map([['band:b1', { epoch: 'e1', offset: 1, prunedTo: 0 }]]);
    },
    rightHasChanged,
  } as unknown as LogReader;
  const hubs = new Hubs(log, { onNews: () => undefined, onReconnected: () => undefined } as unknown as NodeLink, options);
  hubs.start({ obey: () => undefined });
  return { hubs, polls };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('keeps a channel where somebody waits for their right, whose place is on its way', async () => {
  const { hubs, polls } = world();
  void (await hubs.open('band:b2')).rights.settled('tina');
  await jest.advanceTimersByTimeAsync(20_000);
  expect(polls.at(-1)).toEqual(['band:b2']);
  await hubs.stop();
});

test('keeps a channel while the log is asked where somebody’s right to it begins', async () => {
  let answer = (_: boolean): void => undefined;
  const { hubs, polls } = world(() => new Promise((resolve) => (answer = resolve)));
  let isSettled = false;
  void (await hubs.open('band:b2')).rights.settled('tina').then(() => (isSettled = true));
  await jest.advanceTimersByTimeAsync(20_000);
  expect(polls.at(-1)).toEqual(['band:b2']);
  answer(true);
  await jest.advanceTimersByTimeAsync(1_000);
  answer(false);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(isSettled).toBe(true);
  await jest.advanceTimersByTimeAsync(20_000);
  const { length } = polls;
  await jest.advanceTimersByTimeAsync(5_000);
  expect(polls).toHaveLength(length);
  await hubs.stop();
});

test('keeps a channel that nobody reads for a while, but not the empty ones whose names a client made up', async () => {
  const { hubs, polls } = world();
  for (let n = 0; n < 100; n++) await hubs.open(`band:made-up-${n}`);
  await hubs.open('band:b1');
  await jest.advanceTimersByTimeAsync(1_000);
  expect(polls.at(-1)).toHaveLength(101);
  await jest.advanceTimersByTimeAsync(20_000);
  expect(polls.at(-1)).toEqual(['band:b1']);
  await jest.advanceTimersByTimeAsync(5 * 60_000);
  const until = polls.length;
  await jest.advanceTimersByTimeAsync(5_000);
  expect(polls).toHaveLength(until);
  await hubs.stop();
});
