import type { Message, MessagesFrame } from '@soleil/sync-protocol';
import { readFrame } from './channel-reader.js';

const message = (offset: number): Message => ({
  offset,
  id: `m${offset}`,
  type: 'note',
  data: offset,
  at: '2026-11-23T20:00:00.000Z',
});

const frame = (from: number, to: number, change: Partial<MessagesFrame> = {}): MessagesFrame => ({
  channel: 'system',
  epoch: 'e2',
  from,
  to,
  messages: Array.from({ length: to - from + 1 }, (_, index) => message(from + index)),
  ...change,
});

test('a frame that joins moves the reader to its end, into its epoch', () => {
  expect(readFrame(4, frame(5, 6))).toEqual({
    kind: 'advance',
    position: { epoch: 'e2', offset: 6 },
    messages: [message(5), message(6)],
    midStep: false,
    until: null,
  });
});

test('a frame that reaches back brings only what is new', () => {
  expect(readFrame(4, frame(1, 6, { more: true }))).toMatchObject({
    kind: 'advance',
    messages: [message(5), message(6)],
    midStep: true,
    until: null,
  });
});

test('a frame speaks for offsets whose messages are gone', () => {
  expect(readFrame(0, frame(1, 900, { messages: [message(7), message(880)] }))).toMatchObject({
    position: { epoch: 'e2', offset: 900 },
    messages: [message(7), message(880)],
  });
  expect(readFrame(4, frame(5, 9, { messages: [] }))).toMatchObject({
    kind: 'advance',
    position: { offset: 9 },
    messages: [],
  });
});

test('a frame that ends at or below the position brings nothing', () => {
  expect(readFrame(6, frame(5, 6))).toEqual({ kind: 'duplicate' });
  expect(readFrame(6, frame(1, 3))).toEqual({ kind: 'duplicate' });
});

test('a frame that begins further on shows that something is missing', () => {
  expect(readFrame(4, frame(6, 7))).toEqual({ kind: 'gap', missingFrom: 5 });
});
