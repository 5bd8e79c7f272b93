import type { Signal } from '@soleil/sync-protocol';
import { Signaller } from './signaller.js';

const page = (n: number, key = 'page'): Signal => ({ channel: 'band:b1', type: 'turned', key, data: { n } });

/** A socket whose answers a test gives. */
function slowSocket() {
  const sent: Signal[] = [];
  const answers: (() => void)[] = [];
  const ask = (_: string, frame: unknown) => {
    sent.push(frame as Signal);
    return new Promise<never>((resolve) => answers.push(() => resolve({ ok: true } as never)));
  };
  return { sent, answers, socket: { ask: ask as never } };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('while one is on its way the latest of its name waits, and no other', async () => {
  const { sent, answers, socket } = slowSocket();
  const signaller = new Signaller();
  signaller.attach(socket);
  for (const n of [1, 2, 3]) signaller.send(page(n));
  signaller.send(page(9, 'other'));
  expect(sent).toEqual([page(1), page(9, 'other')]);
  answers.shift()!();
  await turn();
  expect(sent.slice(2)).toEqual([page(3)]);
  answers[1]!();
  await turn();
  expect(sent).toHaveLength(3);
});

test('what was said without a connection, or waited when one ended, is never sent', async () => {
  const { sent, answers, socket } = slowSocket();
  const signaller = new Signaller();
  signaller.send(page(1));
  signaller.attach(socket);
  signaller.send(page(2));
  signaller.send(page(3));
  signaller.detach();
  signaller.attach(socket);
  answers.shift()!();
  await turn();
  expect(sent).toEqual([page(2)]);
});
