import fc from 'fast-check';
import { planChanges } from './plan-changes.js';
import type { KnownFile, PresentSighting, Sighting } from './provider.js';

const at = (path: string, content: string, sourceId: string | null = null): PresentSighting => ({
  seen: 'present',
  path,
  sourceId,
  size: content.length,
  hash: `hash of ${content}`,
  modifiedAt: '2026-11-23T00:00:00.000Z',
  fingerprint: { content },
  linkTarget: null,
  problem: null,
  hasNewerNamesake: false,
});
const goneFrom = (path: string): Sighting => ({ seen: 'gone', path });

/** A band's files, as the change log keeps them. */
class Files {
  rows: KnownFile[] = [];
  private ids = 0;

  take(...sightings: Sighting[]): string[] {
    const paths = sightings.map((sighting) => sighting.path);
    const present = this.rows.filter((row) => !row.removed && paths.includes(row.path));
    const removed = this.rows.filter(
      (row) => row.removed && paths.includes(row.path) && !present.some((file) => file.path === row.path),
    );
    const plan = planChanges(sightings, { present, removed: removed.slice(-1) }, () => `file ${(this.ids += 1)}`);
    for (const row of plan.rows) this.rows = [...this.rows.filter((other) => other.fileId !== row.fileId), row];
    return plan.changes.map((change) => `${change.kind} ${change.fileId} ${change.path} ${change.revision}`).sort();
  }
}

let files: Files;
beforeEach(() => {
  files = new Files();
});

it('adds, changes, removes and brings back, always ascending', () => {
  expect(files.take(at('a', 'x'))).toEqual(['added file 1 a 1']);
  expect(files.take(at('a', 'y'))).toEqual(['changed file 1 a 2']);
  expect(files.take(goneFrom('a'))).toEqual(['removed file 1 a 3']);
  expect(files.take(goneFrom('a'))).toEqual([]);
  expect(files.take(at('a', 'y'))).toEqual(['added file 1 a 4']);
});

it('pairs what is gone with what arrived by identity before equal bytes', () => {
  files.take(at('a', 'same', 'inode 1'), at('b', 'same', 'inode 2'));
  expect(files.take(goneFrom('a'), goneFrom('b'), at('d', 'same', 'inode 1'), at('c', 'same', 'inode 2'))).toEqual([
    'changed file 1 d 2',
    'changed file 2 c 2',
  ]);
});

it('pairs by equal bytes, rather with the file of the same name', () => {
  files.take(at('x/a', 'same'), at('x/b', 'same'));
  expect(files.take(goneFrom('x/a'), goneFrom('x/b'), at('y/b', 'same'))).toEqual([
    'changed file 2 y/b 2',
    'removed file 1 x/a 2',
  ]);
});

it('pairs neither empty files nor links by their bytes', () => {
  files.take(at('empty', ''), { ...at('link', 'x'), linkTarget: 'y' });
  expect(
    files.take(goneFrom('empty'), goneFrom('link'), at('other', ''), { ...at('new link', 'x'), linkTarget: 'y' }),
  ).toHaveLength(4);
});

it("keeps the identities of files that take each other's paths", () => {
  files.take(at('a', 'x', 'id 1'), at('b', 'y', 'id 2'), at('c', 'z', 'id 3'));
  expect(files.take(at('b', 'x', 'id 1'), at('a', 'y', 'id 2'))).toEqual(['changed file 1 b 2', 'changed file 2 a 2']);
  expect(files.take(goneFrom('b'), at('c', 'x', 'id 1'), at('d', 'z', 'id 3'))).toEqual([
    'changed file 1 c 3',
    'changed file 3 d 2',
  ]);
});

it('takes the path for the file when the old one was only put aside under another name', () => {
  files.take(at('a', 'x', 'id 1'));
  expect(files.take(at('a', 'y', 'id 2'), at('a.bak', 'x', 'id 1'))).toEqual(['added file 2 a.bak 1', 'changed file 1 a 2']);
});

it('makes news of a problem that comes, changes or goes', () => {
  const unreadable: PresentSighting = { ...at('a', ''), hash: '', problem: { code: 'not_readable', reason: 'No.' } };
  files.take(at('a', 'x'));
  expect(files.take(unreadable)).toEqual(['changed file 1 a 2']);
  expect(files.take(unreadable)).toEqual([]);
  expect(files.take(at('a', 'x'))).toEqual(['changed file 1 a 3']);
});

it('makes news of a newer namesake that comes or goes', () => {
  const older = { ...at('a', 'x'), hasNewerNamesake: true };
  files.take(at('a', 'x'));
  expect(files.take(older)).toEqual(['changed file 1 a 2']);
  expect(files.take(older)).toEqual([]);
  expect(files.take(at('a', 'x'))).toEqual(['changed file 1 a 3']);
});

it('mirrors whatever is sighted, never lets a revision fall, and finds nothing new in the same sightings again', () => {
  const path = fc.constantFrom('a', 'b', 'c', 'd');
  const sighting: fc.Arbitrary<Sighting> = fc.oneof(
    path.map(goneFrom),
    fc
      .record({ path, content: fc.constantFrom('', 'x', 'y'), id: fc.option(fc.constantFrom('1', '2', '3')) })
      .map(({ path, content, id }) => at(path, content, id)),
  );
  const batch = fc.uniqueArray(sighting, { selector: (one) => one.path, minLength: 1 });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 12 }), (batches) => {
      const files = new Files();
      const onDisk = new Map<string, string>();
      for (const sightings of batches) {
        const before = new Map(files.rows.map((row) => [row.fileId, row.revision]));
        files.take(...sightings);
        for (const one of sightings) {
          if (one.seen === 'gone') onDisk.delete(one.path);
          else onDisk.set(one.path, one.hash);
        }
        const present = files.rows.filter((row) => !row.removed);
        expect(new Map(present.map((row) => [row.path, row.hash]))).toEqual(onDisk);
        expect(present).toHaveLength(onDisk.size);
        for (const row of files.rows) expect(row.revision).toBeGreaterThanOrEqual(before.get(row.fileId) ?? 1);
        expect(files.take(...sightings)).toEqual([]);
      }
    }),
  );
});
