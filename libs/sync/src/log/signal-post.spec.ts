import { jest } from '@jest/globals';
import type { Signalled } from '@soleil/sync-protocol';
import { SignalPost } from './signal-post.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A post, what it delivered, and a connection that answers when, and as, a test says. */
function slowPost() {
  const post = new SignalPost(6_000);
  const delivered: unknown[] = [];
  const sent: { batch: number; data: unknown[]; answer: () => void; fail: () => void }[] = [];
  const dispatch = (batch: number, signals: readonly Signalled[]): Promise<void> =>
    new Promise((answer, reject) => {
      sent.push({ batch, data: signals.map(({ data }) => data), answer, fail: () => reject(new Error('away')) });
    });
  const send = (data: unknown, key = 'page'): void =>
    post.send({ channel: 'band:b1', type: 'turned', key, data }, () => delivered.push(data));
  const open = (): void => post.opened(dispatch);
  return { post, delivered, sent, send, open };
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

test('delivers what has come back, and not before; meanwhile the latest of each name waits', async () => {
  const { post, delivered, sent, send, open } = slowPost();
  open();
  send(1);
  await turn();
  for (const n of [2, 3, 4]) send(n);
  expect([sent.length, delivered]).toEqual([1, []]);
  post.cameBack(sent[0]!.batch);
  sent[0]!.answer();
  await turn();
  expect([delivered, sent[1]!.data]).toEqual([[1], [4]]);
  post.cameBack(sent[1]!.batch);
  expect(delivered).toEqual([1, 4]);
});

test('sends as many together as fit', async () => {
  const { sent, send, open } = slowPost();
  open();
  for (const n of [1, 2, 3, 4]) send(`${n} ${'x'.repeat(2_500)}`, `key-${n}`);
  await turn();
  sent[0]!.answer();
  await turn();
  expect(sent.map(({ data }) => data.length)).toEqual([2, 2]);
});

test('a connection that breaks: what was on its way is told on the next one, or what came after it', async () => {
  const { post, delivered, sent, send, open } = slowPost();
  open();
  send(1);
  send(1, 'other');
  await turn();
  send(2);
  sent[0]!.fail();
  await turn();
  open();
  await turn();
  expect(sent[1]!.data).toEqual([2, 1]);
  expect(delivered).toEqual([]);
  post.cameBack(sent[1]!.batch);
  expect(delivered).toEqual([2, 1]);
});

test('a database that does not answer: after a second all goes to the devices here, and from then on at once', async () => {
  const { delivered, sent, send, open } = slowPost();
  open();
  send(1);
  await turn();
  send(2);
  jest.advanceTimersByTime(999);
  expect(delivered).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(delivered).toEqual([1, 2]);
  for (let n = 3; n < 50; n++) send(n, `key-${n}`);
  expect(delivered).toHaveLength(49);
  sent[0]!.answer();
  await turn();
  // It answers again: what was delivered is not told once more, and what follows keeps its place.
  expect(sent).toHaveLength(1);
  send(50);
  await turn();
  expect([sent.length, delivered.length]).toEqual([2, 49]);
});

test('no connection: signals wait for one that is being made, and go to the devices here when it cannot be', async () => {
  const { post, delivered, sent, send, open } = slowPost();
  send(1);
  await turn();
  expect(delivered).toEqual([]);
  post.cutOff();
  send(2);
  expect(delivered).toEqual([1, 2]);
  open();
  send(3);
  await turn();
  expect([sent.length, delivered]).toEqual([1, [1, 2]]);
});
