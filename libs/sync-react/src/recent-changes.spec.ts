import type { Message, MessageListener } from '@soleil/sync-client';
import { RecentChanges } from './recent-changes.js';

const setUp = () => {
  let listener: MessageListener = () => undefined;
  const changes = new RecentChanges({ onMessage: (added) => ((listener = added), () => undefined) });
  let offset = 0;
  const arrive = (key: string | undefined, initial = false) => {
    offset += 1;
    const message: Message = { offset, id: `m${offset}`, type: 'note', key, data: offset, at: '2026-11-23T20:00:00.000Z' };
    listener('band:b1', message, { live: !initial, initial });
  };
  const ids = () => changes.changes.map(({ message }) => message.id);
  return { changes, arrive, ids };
};

test('lists the newest first, each key once, messages without a key by themselves', () => {
  const { arrive, ids } = setUp();
  for (const key of ['file:1', undefined, 'file:2', 'file:1', undefined]) arrive(key);
  expect(ids()).toEqual(['m5', 'm4', 'm3', 'm2']);
});

test('takes the first state of a channel for no change', () => {
  const { arrive, ids } = setUp();
  arrive('file:1', true);
  arrive('file:2');
  expect(ids()).toEqual(['m2']);
});

test('forgets what was seen, and tells of it', () => {
  const { changes, arrive, ids } = setUp();
  let told = 0;
  changes.subscribe(() => (told += 1));
  for (const key of ['file:1', 'file:2', undefined]) arrive(key);
  changes.dismiss('file:1');
  changes.dismiss('m3');
  changes.dismiss('file:unknown');
  expect([told, ids()]).toEqual([5, ['m2']]);
  changes.dismissAll();
  changes.dismissAll();
  expect([told, ids()]).toEqual([6, []]);
});

test('keeps 200', () => {
  const { arrive, ids } = setUp();
  for (let n = 0; n < 250; n++) arrive(`file:${n}`);
  expect(ids()).toHaveLength(200);
  expect(ids()[0]).toBe('m250');
});
