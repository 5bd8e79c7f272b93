import { jest } from '@jest/globals';
import type { Bus } from '@soleil/bus';
import type { Signal } from '@soleil/sync-protocol';
import type { EventBroadcaster } from '../event-broadcaster.js';
import type { Progress } from '../queue/items.js';
import { ProgressTeller } from './progress-teller.js';

const sent: Signal[] = [];
const facts: unknown[] = [];
let refuse = false;
let teller: ProgressTeller;

beforeEach(() => {
  jest.useFakeTimers();
  sent.length = facts.length = 0;
  refuse = false;
  const broadcaster = {
    signal(signal: Signal) {
      if (refuse) throw new Error('no such channel');
      sent.push(signal);
    },
  } as unknown as EventBroadcaster;
  const bus = { publish: async (_: string, fact: unknown) => facts.push(fact) } as unknown as Bus;
  teller = new ProgressTeller(bus, broadcaster);
});
afterEach(() => {
  teller.stop();
  jest.useRealTimers();
});

const progress = (done: number, id = 'o1'): Progress => ({
  id,
  kind: 'band',
  bandId: 'b1',
  mode: 'full',
  status: done === 9 ? 'completed' : 'running',
  total: 9,
  done,
  failed: 0,
});
const told = (): unknown[] => sent.map(({ data }) => (data as { done: number }).done);

test('the first is told at once, and of those that follow the latest, four times a second', () => {
  for (const done of [1, 2, 3]) teller.tell([progress(done)]);
  expect(told()).toEqual([1]);
  jest.advanceTimersByTime(250);
  teller.tell([progress(4)]);
  expect(told()).toEqual([1, 3]);
  teller.tell([progress(9)]);
  jest.advanceTimersByTime(250);
  expect(told()).toEqual([1, 3, 9]);
  expect(sent.at(-1)).toMatchObject({
    channel: 'band:b1',
    type: 'sync.progress',
    key: 'o1',
    data: { status: 'completed', total: 9 },
  });
  expect(facts).toHaveLength(3);
  jest.advanceTimersByTime(1_000);
  teller.tell([progress(9)]);
  expect(told()).toEqual([1, 3, 9, 9]);
});

test('one operation waits for no other, and bands are told apart', () => {
  teller.tell([progress(1), progress(2, 'o2')]);
  teller.changed('b1');
  teller.changed('b2');
  teller.changed(null);
  expect(sent.map(({ channel, key }) => `${channel} ${key}`)).toEqual([
    'band:b1 o1',
    'band:b1 o2',
    'band:b1 operations',
    'band:b2 operations',
  ]);
});

test('what cannot be told harms nobody', () => {
  refuse = true;
  teller.changed('a band');
  teller.changed('a band');
  teller.tell([progress(1)]);
  jest.advanceTimersByTime(1_000);
  expect(facts).toHaveLength(1);
});
