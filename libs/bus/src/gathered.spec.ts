import { jest } from '@jest/globals';
import { gathered } from './gathered.js';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** Reads whose answers a test gives. */
function slowReads() {
  const reads: { keys: readonly string[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const ask = gathered<string, string>(
    (keys) =>
      new Promise((resolve, reject) => {
        reads.push({ keys, answer: () => resolve(new Map(keys.map((key) => [key, key.toUpperCase()]))), fail: reject });
      }),
  );
  return { reads, ask };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is asked while an answer is on its way is read together, afterwards, each key once', async () => {
  const { reads, ask } = slowReads();
  const first = ask('a');
  await turn();
  const later = ['b', 'c', 'b', 'a'].map(ask);
  await turn();
  expect(reads.map(({ keys }) => keys)).toEqual([['a']]);
  reads[0]!.answer();
  expect(await first).toBe('A');
  await turn();
  expect(reads.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c', 'a']]);
  reads[1]!.answer();
  expect(await Promise.all(later)).toEqual(['B', 'C', 'B', 'A']);
});

test('after a question of many the next one gathers for a moment, at most 25 ms; after one of one key it does not', async () => {
  const { reads, ask } = slowReads();
  void Promise.all(Array.from({ length: 100 }, (_, n) => ask(`many ${n}`)));
  await turn();
  reads[0]!.answer();
  await turn();
  for (const key of ['a', 'b']) {
    void ask(key);
    await jest.advanceTimersByTimeAsync(12);
  }
  expect(reads).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(1);
  await turn();
  expect(reads[1]?.keys).toEqual(['a', 'b']);

  reads[1]!.answer();
  await jest.advanceTimersByTimeAsync(2);
  void ask('alone');
  await turn();
  expect(reads[2]?.keys).toEqual(['alone']);
  reads[2]!.answer();
  await turn();
  void ask('at once');
  await turn();
  expect(reads[3]?.keys).toEqual(['at once']);
});

test('an error is told to those whose read it was, and the next ones are read', async () => {
  const { reads, ask } = slowReads();
  const [first, second] = [ask('a'), ask('b')];
  await turn();
  const third = ask('c');
  reads[0]!.fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await expect(second).rejects.toThrow('away');
  await jest.advanceTimersByTimeAsync(2);
  await turn();
  reads[1]!.answer();
  expect(await third).toBe('C');
});

test('a read that does not answer keeps nobody else waiting for long', async () => {
  const { reads, ask } = slowReads();
  void ask('a');
  await turn();
  const second = ask('b');
  await jest.advanceTimersByTimeAsync(1_000);
  await turn();
  expect(reads.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
  reads[1]!.answer();
  expect(await second).toBe('B');
});

test('what is not there is answered by undefined', async () => {
  expect(await gathered(() => Promise.resolve(new Map()))('nobody')).toBeUndefined();
});
