import type { Message } from '@soleil/sync-protocol';
import type { LogReader } from '../log/log-reader.js';
import { firstFrame } from './frames.js';
import { Pages } from './pages.js';
import { Step } from './step.js';
import { Tail } from './tail.js';

const many = 500;
const message = (offset: number): Message => ({
  offset,
  id: `m${offset}`,
  type: 'note',
  key: `k${offset}`,
  data: 'x'.repeat(offset % 50 === 0 ? 20_000 : 4_000),
  at: '2026-11-23T20:00:00.000Z',
});

/** A log of messages of some kilobytes, which counts what was read of it. */
function world() {
  let read = 0;
  const answer = (messages: Message[]) => {
    read += messages.length;
    return Promise.resolve({ messages, prunedTo: 0 });
  };
  const between = (after: number, upTo: number) => Array.from({ length: upTo - after }, (_, n) => message(after + 1 + n));
  const log = {
    page: ({ after, upTo, limit }: { after: number; upTo: number; limit: number }) =>
      answer(between(after, Math.min(upTo, after + limit))),
    latest: ({ after, upTo }: { after: number; upTo: number }) =>
      Promise.resolve({ offsets: between(after, upTo).map(({ offset }) => offset), prunedTo: 0 }),
    at: (_: string, offsets: number[]) => answer(offsets.map(message)),
  } as unknown as LogReader;
  return { pages: new Pages('band:b1', log, new Tail(1), 100), read: () => read };
}

test.each([
  ['every message', null],
  ['the latest of each key', new Step('changes', 0, many)],
])('a reader of large messages that is told %s has each of them read about once', async (_, step) => {
  const { pages, read } = world();
  const mostBytes = 16 * 1024;
  const told: number[] = [];
  for (let cursor = 0; cursor < many;) {
    const page = await (step ? pages.ofStep(cursor, step, mostBytes) : pages.ofAll(cursor, many, mostBytes));
    const sent = firstFrame(page.messages, mostBytes);
    told.push(...sent.map(({ offset }) => offset));
    cursor = sent.length === page.messages.length ? page.to : sent.at(-1)!.offset;
  }
  expect(told).toEqual(Array.from({ length: many }, (_, n) => n + 1));
  expect(read()).toBeLessThan(many * 2.5);
});
