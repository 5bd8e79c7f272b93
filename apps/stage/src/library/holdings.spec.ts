import type { Row } from '@soleil/sync-client';
import { file } from '../../test/file.js';
import { holdingsOf } from './holdings.js';

const row = (fileId: string, data: unknown, type = 'file_update'): Row => ({
  key: `file:${fileId}`,
  type,
  data,
  offset: 1,
  id: fileId,
  at: '2026-11-01T12:00:00.000Z',
});

test('a device says which of the files it would keep are here, and says nothing of others', () => {
  const rows = [
    row('here', file('here')),
    row('not-yet', file('not-yet')),
    row('song', file('song', { kind: 'audio' })),
    row('broken', file('broken', { readable: false })),
    row('note', { text: 'no file' }, 'note'),
  ];
  expect(holdingsOf(rows, new Set(['hash-here', 'hash-song', 'hash-broken']))).toEqual(
    new Map([
      ['file:here', 'hash-here'],
      ['file:not-yet', null],
    ]),
  );
});
