import type { Row } from '@soleil/sync-client';
import { mergedRows, mergeRows } from './use-rows.js';

const row = (key: string, at: string, type = 'file_update'): Row => ({
  key,
  type,
  data: { at },
  offset: 1,
  id: `${key}@${at}`,
  at,
});
const rows = (...all: Row[]) => new Map(all.map((each) => [each.key, each]));

test('merges channels by key; of an entity on its way from one to another the later stands', () => {
  const merged = mergeRows([
    rows(row('file:1', '2026-11-02'), row('file:2', '2026-11-01')),
    rows(row('file:1', '2026-11-01'), row('file:3', '2026-11-01')),
  ]);
  expect([...merged.values()].map(({ id }) => id)).toEqual(['file:1@2026-11-02', 'file:2@2026-11-01', 'file:3@2026-11-01']);
});

test('keeps only the type that is asked for', () => {
  expect([...mergeRows([rows(row('a', '1', 'note'), row('b', '1'))], 'note').keys()]).toEqual(['a']);
});

test('is the same map until the rows of a channel are others', () => {
  const channels: Record<string, { rows: ReadonlyMap<string, Row> }> = {
    x: { rows: rows(row('a', '1')) },
    y: { rows: rows() },
  };
  const source = mergedRows({ channel: (name: string) => channels[name]! as never, subscribe: () => () => undefined }, [
    'x',
    'y',
  ]);
  const first = source.snapshot();
  channels.x = { ...channels.x! };
  expect(source.snapshot()).toBe(first);
  channels.y = { rows: rows(row('b', '1')) };
  expect([...source.snapshot().keys()]).toEqual(['a', 'b']);
});
