import { jest } from '@jest/globals';
import { DeviceRecord } from './device-record.js';

const identity = { userId: 'tina', deviceId: 'tablet-1', name: null, durable: true };

afterEach(() => void jest.useRealTimers());

test('does not leave who reported a file without an answer while the database is silent', async () => {
  jest.useFakeTimers();
  const record = new DeviceRecord(identity, Date.now);
  const stored = record.holds('band:b1', [{ key: 'file:1', hash: null }]);
  record.take(0);
  jest.advanceTimersByTime(5_000);
  await expect(stored).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
});

test('lets a device report no faster than it can be stored', async () => {
  jest.useFakeTimers();
  const record = new DeviceRecord(identity, Date.now);
  const report = (n: number): Promise<void> => record.holds('band:b1', [{ key: `file:${n}`, hash: null }]);
  const stored = Promise.all(Array.from({ length: 20 }, (_, n) => report(n)));
  await expect(report(20)).rejects.toMatchObject({
    code: 'rate_limited',
    retryable: true,
    details: { retryAfterMs: 1_000 },
  });
  const taken = record.take(0)!;
  expect(taken.holdings.size).toBe(20);
  for (const { resolve } of taken.stored) resolve();
  await stored;
  void report(20);
  expect(record.take(0)!.holdings.size).toBe(1);
});

test('has something to store when the device came, when something is acknowledged, and when it was not seen for a while', () => {
  let now = 0;
  const record = new DeviceRecord(identity, () => now);
  expect(record.take(20_000)).toMatchObject({ isNews: true });
  expect(record.take(20_000)).toBeNull();
  record.acknowledged('band:b1', 4);
  record.acknowledged('band:b1', 3);
  expect(record.take(20_000)).toMatchObject({
    isNews: false,
    marks: new Map([['band:b1', { floor: null, upTo: 4, at: 0 }]]),
  });
  now = 20_000;
  expect(record.take(20_000)).toMatchObject({ isNews: true });
  record.left();
  expect(record.take(20_000)).toMatchObject({ isNews: true });
});

test('keeps the lowest offset at which a device stood among marks that could not be stored', () => {
  const record = new DeviceRecord(identity, () => 0);
  record.subscribed('band:b1', 2);
  record.acknowledged('band:b1', 9);
  record.giveBack(record.take(0)!, new Error('no database'));
  record.subscribed('band:b1', 5);
  record.giveBack(record.take(0)!, new Error('no database'));
  record.acknowledged('band:b1', 7);
  expect(record.take(0)!.marks).toEqual(new Map([['band:b1', { floor: 2, upTo: 7, at: 0 }]]));
});
