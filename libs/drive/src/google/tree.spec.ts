import fc from 'fast-check';
import { fingerprintOf, type FileItem, type Item } from './item.js';
import { Tree } from './tree.js';

const folder = (id: string, parent: string, name = id): Item => ({ kind: 'folder', id, name, parent });
const file = (id: string, parent: string, name = id, modifiedAt = ''): FileItem => ({
  kind: 'binary',
  id,
  name,
  parent,
  createdAt: '',
  modifiedAt,
  size: 1,
  sha256: '',
  md5: '',
  version: '',
  canDownload: true,
  targetId: '',
  targetIs: '',
});

const shortcut = (id: string, parent: string, name: string, targetId: string): FileItem => ({
  ...file(id, parent, name, '2030'),
  kind: 'shortcut',
  targetId,
});

function pathsIn(tree: Tree): Record<string, string> {
  return Object.fromEntries(
    [...tree.paths()].map(([path, { item, hasNewerNamesake }]) => [path, hasNewerNamesake ? `old ${item.id}` : item.id]),
  );
}

function pathsOf(...items: Item[]): Record<string, string> {
  const tree = new Tree('root');
  for (const item of items) tree.put(item);
  return pathsIn(tree);
}

/** As another process finds it, or this one in its next round. */
function stored(tree: Tree): Tree {
  const known = [...tree.paths().values()].map(({ item }) => ({ sourceId: item.id, fingerprint: fingerprintOf(item) }));
  return Tree.of('root', structuredClone(tree.stored()), known);
}

/** Until there is no folder of which the contents are not known. */
function fill(tree: Tree, drive: ReadonlyMap<string, Item>): void {
  for (let ids = tree.takeUnlisted(); ids.length > 0; ids = tree.takeUnlisted())
    for (const item of drive.values()) if (item.parent !== null && ids.includes(item.parent)) tree.put(item);
}

it('composes paths of the names of the folders, whatever came first', () => {
  const items = [file('f', 'b', 'song.cho'), folder('b', 'a', 'deep'), folder('a', 'root', 'songs')];
  expect(pathsOf(...items)).toEqual({ 'songs/deep/song.cho': 'f' });
  expect(pathsOf(...items.reverse())).toEqual({ 'songs/deep/song.cho': 'f' });
});

it('leaves out what lies elsewhere, in a circle or in the root of something else', () => {
  expect(pathsOf(file('f', 'elsewhere'), folder('a', 'b'), folder('b', 'a'), file('g', 'a'))).toEqual({});
});

it('gives a name to the newest, and the others their id before the ending', () => {
  const items = [
    file('3', 'root', 'a.b.cho', '2025'),
    file('2', 'root', 'a.b.cho', '2026'),
    file('1', 'root', 'a.b.cho', '2024'),
    file('5', 'root', 'none', '2026'),
    file('4', 'root', 'none', '2026'),
  ];
  const expected = { 'a.b.cho': '2', 'a.b (1).cho': 'old 1', 'a.b (3).cho': 'old 3', none: '5', 'none (4)': 'old 4' };
  expect(pathsOf(...items)).toEqual(expected);
  expect(pathsOf(...items.reverse())).toEqual(expected);
});

it('takes for the newest what came last, even if it was written long before', () => {
  const edited = { ...file('edited', 'root', 'a.cho', '2025'), createdAt: '2024' };
  const uploaded = { ...file('uploaded', 'root', 'a.cho', '2020'), createdAt: '2026' };
  expect(pathsOf(uploaded, edited)).toEqual({ 'a.cho': 'uploaded', 'a (edited).cho': 'old edited' });
});

it('takes a shortcut for as new as its target, and one that leads nowhere for older than any file', () => {
  const link = (targetId: string): FileItem => shortcut('link', 'root', 'a.cho', targetId);
  const own = file('own', 'root', 'a.cho', '2025');
  expect(pathsOf(own, link('nowhere'))).toEqual({ 'a.cho': 'own', 'a (link).cho': 'old link' });
  const target = (modifiedAt: string): FileItem => file('target', 'root', 'b.cho', modifiedAt);
  const [old, young] = [target('2024'), target('2026')].map((each) => pathsOf(own, link('target'), each));
  expect(old).toMatchObject({ 'a.cho': 'own', 'a (link).cho': 'old link' });
  expect(young).toMatchObject({ 'a.cho': 'link', 'a (own).cho': 'old own' });
});

it('gives a shortcut to a folder no name while that is within reach, and lists it as soon as it is not', () => {
  const tree = new Tree('root');
  const items = [folder('set', 'root'), shortcut('z', 'root', 'x', 'set'), shortcut('up', 'set', 'up', 'root')];
  for (const item of [...items, shortcut('lost', 'root', 'x', 'nowhere')]) tree.put(item);
  expect(pathsIn(tree)).toEqual({ x: 'lost' });
  const later = stored(tree);
  expect(pathsIn(later)).toEqual({ x: 'lost' });
  later.remove('set');
  expect(pathsIn(later)).toEqual({ x: 'z', 'x (lost)': 'old lost' });
});

it('lists an older one whose name with its id is taken by a file that is called so', () => {
  const items = [
    file('1', 'root', 'a.cho', '2024'),
    file('2', 'root', 'a.cho', '2025'),
    file('3', 'root', 'a (1).cho', '2026'),
    file('4', 'root', 'a (1) (1).cho', '2026'),
  ];
  const expected = { 'a.cho': '2', 'a (1).cho': '3', 'a (1) (1).cho': '4', 'a (1) (1) (1).cho': 'old 1' };
  expect(pathsOf(...items)).toEqual(expected);
  expect(pathsOf(...items.reverse())).toEqual(expected);
  const long = 'x'.repeat(1_020);
  expect(pathsOf(file('1', 'root', long, '2024'), file('2', 'root', long, '2025'))).toEqual({
    [long]: '2',
    [`${long} (1)`]: 'old 1',
  });
});

it('leaves out what is too deep for a path, and lists it when a folder above it is called less', () => {
  const tree = new Tree('root');
  const deep = [folder('c', 'b', 'c'.repeat(300)), file('f', 'c', 'f')];
  for (const item of [folder('a', 'root', 'a'.repeat(400)), folder('b', 'a', 'b'.repeat(400)), ...deep]) tree.put(item);
  expect(pathsIn(tree)).toEqual({});
  const later = stored(tree);
  later.put(folder('a', 'root', 'a'));
  later.put(folder('b', 'a', 'b'));
  expect(pathsIn(later)).toEqual({ [`a/b/${'c'.repeat(300)}/f`]: 'f' });
});

it('wants each folder listed once, as soon as it is within reach', () => {
  const tree = new Tree('root');
  expect(tree.takeUnlisted()).toEqual(['root']);
  tree.put(folder('b', 'a'));
  expect(tree.takeUnlisted()).toEqual([]);
  tree.put(folder('a', 'root'));
  expect(tree.takeUnlisted().sort()).toEqual(['a', 'b']);
  tree.put(folder('a', 'root', 'renamed'));
  expect(tree.takeUnlisted()).toEqual([]);
});

it('is the same whatever the order of what is put, and has no two files at one path', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const name = fc.constantFrom('x', 'y', 'x (f1)', '.hidden');
  const folders = fc.uniqueArray(
    fc.record({ id, parent: fc.oneof(id, fc.constant('root'), fc.constant('elsewhere')), name }),
    { selector: (one) => one.id },
  );
  const files = fc.array(fc.record({ parent: fc.oneof(id, fc.constant('root')), name }), { maxLength: 12 });
  fc.assert(
    fc.property(folders, files, fc.infiniteStream(fc.nat(1_000)), (someFolders, someFiles, order) => {
      const items = [
        ...someFolders.map((one) => folder(one.id, one.parent, one.name)),
        ...someFiles.map((one, n) => file(`f${n}`, one.parent, one.name)),
      ];
      const keys = new Map(items.map((item) => [item.id, order.next().value]));
      const shuffled = [...items].sort((one, other) => keys.get(one.id)! - keys.get(other.id)!);
      const paths = pathsOf(...items);
      expect(pathsOf(...shuffled)).toEqual(paths);
      expect(new Set(Object.values(paths)).size).toBe(Object.keys(paths).length);
    }),
  );
});

it('is the same after any changes, told in any order and again, with restarts between, as if all were listed at once', () => {
  const folderIds = fc.constantFrom('a', 'b');
  const fileIds = fc.constantFrom('f', 'g', 'h');
  const parent = fc.constantFrom('root', 'root', 'a', 'b', 'elsewhere');
  const name = fc.constantFrom('x', 'x (f)', '.x', 'x'.repeat(600));
  const at = { parent, name };
  const change = fc.oneof(
    fc.record({ id: folderIds, ...at }).map((one) => folder(one.id, one.parent, one.name)),
    fc
      .record({ id: fileIds, ...at, modifiedAt: fc.constantFrom('2024', '2025') })
      .map((one) => file(one.id, one.parent, one.name, one.modifiedAt)),
    fc
      .record({ ...at, targetId: fc.oneof(folderIds, fileIds) })
      .map((one) => shortcut('l', one.parent, one.name, one.targetId)),
    fc.oneof(folderIds, fileIds, fc.constant('l')),
  );
  const round = fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    order: fc.infiniteStream(fc.nat(1_000)),
  });
  fc.assert(
    fc.property(fc.array(round, { minLength: 2, maxLength: 10, size: 'max' }), (rounds) => {
      const drive = new Map<string, Item>();
      let tree = new Tree('root');
      fill(tree, drive);
      for (const { changes, order } of rounds) {
        for (const one of changes) {
          if (typeof one === 'string') drive.delete(one);
          else drive.set(one.id, one);
        }
        const told = changes.map((one) => (typeof one === 'string' ? one : one.id));
        const keyed = [...told, ...told].map((id) => ({ id, key: order.next().value }));
        for (const { id } of keyed.sort((one, other) => one.key - other.key)) {
          const item = drive.get(id);
          if (item) tree.put(item);
          else tree.remove(id);
        }
        fill(tree, drive);
        const anew = new Tree('root');
        fill(anew, drive);
        expect(pathsIn(tree)).toEqual(pathsIn(anew));
        tree = stored(tree);
      }
    }),
    { numRuns: 1_000 },
  );
});
