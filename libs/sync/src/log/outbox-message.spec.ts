import { limits } from '@soleil/sync-protocol';
import { toRow, refuseControl, type OutboxMessage } from './outbox-message.js';

const message: OutboxMessage = { channel: 'band:b1', type: 'note', key: 'song:1', data: { tempo: 120 } };
const circle: unknown[] = [];
circle.push(circle);
const codeOf = (check: () => unknown): string => {
  try {
    check();
    return 'ok';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test.each<[string, Partial<OutboxMessage>, string]>([
  ['what fits', {}, 'ok'],
  ['a tombstone', { data: null }, 'ok'],
  ['data that is not there at all', { data: undefined }, 'ok'],
  ['the text of an escape', { data: 'a\\u0000b' }, 'ok'],
  ['an emoji', { data: '🎺' }, 'ok'],
  ['a channel that is none', { channel: 'nowhere' }, 'message_invalid'],
  ['a type that is too long', { type: 't'.repeat(65) }, 'message_invalid'],
  ['an empty key', { key: '' }, 'message_invalid'],
  ['NUL in data', { data: { text: 'a\0b' } }, 'message_invalid'],
  ['half a surrogate pair in the key', { key: 'song:\ud83c' }, 'message_invalid'],
  ['a function', { data: () => 1 }, 'message_invalid'],
  ['a circle', { data: circle }, 'message_invalid'],
  ['an empty idempotency key', { idempotencyKey: '' }, 'message_invalid'],
  ['a field that no message has', { colour: 'red' } as Partial<OutboxMessage>, 'message_invalid'],
  ['data of the largest size', { data: 'x'.repeat(limits.messageBytes - 2) }, 'ok'],
  ['data one byte larger', { data: 'x'.repeat(limits.messageBytes - 1) }, 'message_too_large'],
])('%s is judged before the database sees it', (_, part, verdict) => {
  expect(codeOf(() => toRow({ ...message, ...part }))).toBe(verdict);
});

test('publishers are refused the types that are for Sync itself, and no others', () => {
  expect(codeOf(() => refuseControl({ ...message, type: 'sync.rights_changed' }))).toBe('message_invalid');
  expect(codeOf(() => refuseControl({ ...message, type: 'sync.' }))).toBe('message_invalid');
  expect(codeOf(() => refuseControl({ ...message, type: 'synced' }))).toBe('ok');
});
