import type { Message } from '@soleil/sync-protocol';
import { firstFrame, Frames } from './frames.js';

const message = (offset: number, type = 'note'): Message => ({
  offset,
  id: `id-${offset}`,
  type,
  data: 'x'.repeat(100),
  at: '2026-11-26T19:00:00.000Z',
});
const messages = [1, 2, 3].map((offset) => message(offset));

test('devices at one place are sent one and the same frame, until it is forgotten', () => {
  const frames = new Frames('band:b1');
  const first = frames.ofPage('all', 'e1', 1, 3, messages, null);
  expect(frames.ofPage('all', 'e1', 1, 3, messages, null)).toBe(first);
  frames.forget();
  const second = frames.ofPage('all', 'e1', 1, 3, messages, null);
  expect(second).toEqual(first);
  expect(second).not.toBe(first);
});

test('the same span told otherwise is another frame', () => {
  const frames = new Frames('band:b1');
  const until = { epoch: 'e1', offset: 9 };
  const all = frames.ofPage('all', 'e1', 1, 3, messages, null);
  const state = frames.ofPage('state:0:9', 'e1', 1, 3, messages.slice(1), until);
  expect(all.frame.messages).toHaveLength(3);
  expect(state.frame).toEqual({
    ...{ channel: 'band:b1', epoch: 'e1', from: 1, to: 3, messages: messages.slice(1) },
    ...{ more: true, until },
  });
  expect(frames.ofPage('all', 'e2', 1, 3, messages, null).frame.epoch).toBe('e2');
});

test('no device is sent a control message, and the frame covers its offset', () => {
  const { frame, bytes } = new Frames('band:b1').make('e1', 1, 2, [message(1), message(2, 'sync.right_ended')]);
  expect(frame).toEqual({ channel: 'band:b1', epoch: 'e1', from: 1, to: 2, messages: [message(1)] });
  expect(bytes).toBe(Buffer.byteLength(JSON.stringify(frame)));
});

test('a frame holds as many as fit, and one at least', () => {
  expect(firstFrame(messages, 1)).toEqual(messages.slice(0, 1));
  expect(firstFrame(messages, 450)).toEqual(messages.slice(0, 2));
  expect(firstFrame(messages, 10_000)).toEqual(messages);
});
