import { jest } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { together } from './together.js';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** Work whose end a test decides. */
function slowWork(atMost = 10, isHopeless?: (error: unknown) => boolean) {
  const works: { asks: readonly string[]; end: () => void; fail: (error: Error) => void }[] = [];
  const ask = together<string, string>(
    (asks) =>
      new Promise((resolve, reject) => {
        const answers = asks.map((one) => (one === 'bad' ? new Error('bad') : one.toUpperCase()));
        works.push({ asks, end: () => resolve(answers), fail: reject });
      }),
    isHopeless ? { atMost, isHopeless } : { atMost },
  );
  return { works, ask, asked: () => works.map(({ asks }) => asks) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is asked while work is on its way is done together, afterwards, in the order of the asks', async () => {
  const { works, ask, asked } = slowWork();
  const first = ask('a');
  await turn();
  const later = ['b', 'c', 'b'].map(ask);
  await turn();
  expect(asked()).toEqual([['a']]);
  works[0]!.end();
  expect(await first).toBe('A');
  await turn();
  expect(asked()).toEqual([['a'], ['b', 'c', 'b']]);
  works[1]!.end();
  expect(await Promise.all(later)).toEqual(['B', 'C', 'B']);
});

test('more than fit into one piece are done one piece after another', async () => {
  const { works, ask, asked } = slowWork(2);
  const all = ['a', 'b', 'c', 'd', 'e'].map(ask);
  for (let piece = 0; piece < 3; piece++) {
    await turn();
    expect(works).toHaveLength(piece + 1);
    works[piece]!.end();
    await turn();
    await jest.advanceTimersByTimeAsync(2);
  }
  expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(asked()).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

test('after work of many the next one gathers for a moment, at most 10 ms; after one of one ask it does not', async () => {
  const { works, ask, asked } = slowWork(100);
  void Promise.all(Array.from({ length: 50 }, (_, n) => ask(`many ${n}`)));
  await turn();
  works[0]!.end();
  await turn();
  for (const one of ['a', 'b']) {
    void ask(one);
    await jest.advanceTimersByTimeAsync(4);
  }
  expect(works).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(2);
  await turn();
  expect(asked().slice(1)).toEqual([['a', 'b']]);
  works[1]!.end();
  await turn();
  await jest.advanceTimersByTimeAsync(2);
  void ask('alone');
  await turn();
  works[2]!.end();
  await turn();
  void ask('at once');
  await turn();
  expect(asked().slice(2)).toEqual([['alone'], ['at once']]);
});

test('what is full waits for no more', async () => {
  const { works, ask, asked } = slowWork(3);
  void Promise.all(['a', 'b'].map(ask));
  await turn();
  works[0]!.end();
  await turn();
  void Promise.all(['c', 'd'].map(ask));
  await turn();
  expect(works).toHaveLength(1);
  void ask('e');
  await turn();
  expect(asked().slice(1)).toEqual([['c', 'd', 'e']]);
});

test('where it fails each is tried alone, and one that fails again harms no other', async () => {
  const { works, ask, asked } = slowWork();
  const outcomes = Promise.allSettled(['a', 'b'].map(ask));
  await turn();
  works[0]!.fail(new Error('together'));
  await turn();
  expect(asked()).toEqual([['a', 'b'], ['a'], ['b']]);
  works[1]!.end();
  works[2]!.fail(new Error('alone'));
  expect(await outcomes).toEqual([
    { status: 'fulfilled', value: 'A' },
    { status: 'rejected', reason: new Error('alone') },
  ]);
});

test('an error among the answers is that of its own ask', async () => {
  const { works, ask } = slowWork();
  const outcomes = Promise.allSettled(['a', 'bad'].map(ask));
  await turn();
  works[0]!.end();
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

test('what would befall each alone is not tried again', async () => {
  const { works, ask } = slowWork(10, () => true);
  const outcomes = Promise.allSettled(['a', 'b'].map(ask));
  await turn();
  works[0]!.fail(new Error('away'));
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(works).toHaveLength(1);
});

test('an error fails who asked, also one from another realm, as those of sockets are here', async () => {
  const { works, ask } = slowWork();
  const asked = ask('a');
  await turn();
  const foreign = runInNewContext(`new Error('connection reset')`) as Error;
  expect(foreign).not.toBeInstanceOf(Error);
  works[0]!.fail(foreign);
  await expect(asked).rejects.toBe(foreign);
});

test('work that never ends keeps the next one for a second, and no longer', async () => {
  const { works, ask } = slowWork();
  void ask('dead');
  await turn();
  const next = ask('a');
  await jest.advanceTimersByTimeAsync(999);
  expect(works).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(1);
  await turn();
  works[1]!.end();
  expect(await next).toBe('A');
});
