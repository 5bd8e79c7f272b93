import { SignalPost } from './signal-post.js';
import { weigh } from './weighed-signal.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A post, what it delivered, and a connection that answers when, and as, a test says. */
function slowPost() {
  const delivered: unknown[] = [];
  const sent: { batch: number; parts: unknown[][]; data: unknown[]; answer: () => void; fail: () => void }[] = [];
  let wanted = 0;
  const post = new SignalPost(() => (wanted += 1));
  const send = (data: unknown, key = 'page', channel = 'band:b1'): void =>
    post.send(weigh({ channel, type: 'turned', key, data }), () => delivered.push(data));
  const open = (): void =>
    post.opened(
      (batch, notifications) =>
        new Promise((answer, reject) => {
          const parts = notifications.map((signals) => signals.map(({ data }) => data));
          const fail = (): void => {
            post.closed();
            reject(new Error('away'));
          };
          sent.push({ batch, parts, data: parts.flat(), answer, fail });
        }),
    );
  const refuse = (): void => {
    post.attempting();
    post.failed();
  };
  return { post, delivered, sent, send, open, refuse, wanted: () => wanted };
}

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

test('sends as many together as fit, no notification larger than it may be', async () => {
  const { sent, send, open } = slowPost();
  open();
  for (const n of [1, 2, 3, 4, 5]) send(`${n} ${'x'.repeat(2_500)}`, `key-${n}`);
  await turn();
  expect(sent.map(({ parts }) => parts.map(({ length }) => length))).toEqual([[2, 2, 1]]);
});

test('lets a channel that is told one thing not wait for one that is told a thousand, of which only some are kept', async () => {
  const { post, delivered, sent, send, open } = slowPost();
  open();
  send('first');
  await turn();
  for (let n = 0; n < 10_000; n++) send(`${n} ${'x'.repeat(4_000)}`, `key-${n}`, 'user:noisy');
  send('turned', 'page', 'band:b2');
  sent[0]!.answer();
  await turn();
  expect(sent[1]!.parts[0]!.map((data) => String(data).slice(0, 6))).toContain('turned');
  for (let batch = 1; batch < sent.length; batch++) {
    post.cameBack(sent[batch]!.batch);
    sent[batch]!.answer();
    await turn();
  }
  expect(JSON.stringify(delivered).length).toBeLessThan(100_000);
  expect(String(delivered.at(-1))).toMatch(/^9999 /);
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
  expect(sent[1]!.data).toEqual([1, 2]);
  expect(delivered).toEqual([]);
  post.cameBack(sent[1]!.batch);
  expect(delivered).toEqual([1, 2]);
});

test('without a connection: delivered here once an attempt to make one has failed that began after it was sent', async () => {
  const { post, delivered, send, refuse, wanted } = slowPost();
  post.attempting();
  send(1);
  expect(wanted()).toBe(1);
  post.failed();
  expect(delivered).toEqual([]);
  refuse();
  expect(delivered).toEqual([1]);
  refuse();
  expect(delivered).toEqual([1]);
});

test('what was delivered here alone is told to all in the end, the latest of each name', async () => {
  const { post, delivered, sent, send, open, refuse } = slowPost();
  for (const n of [1, 2]) {
    send(n);
    refuse();
  }
  send(3);
  open();
  await turn();
  expect([delivered, sent[0]!.data]).toEqual([[1, 2], [3]]);
  post.cameBack(sent[0]!.batch);
  expect(delivered).toEqual([1, 2, 3]);
});
