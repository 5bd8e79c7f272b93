import fc from 'fast-check';
import type { FileItem, Item } from './item.js';
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

function pathsOf(...items: Item[]): Record<string, string> {
  const tree = new Tree('root');
  for (const item of items) tree.put(item);
  return Object.fromEntries(
    [...tree.paths()].map(([path, { item, hasNewerNamesake }]) => [path, hasNewerNamesake ? `old ${item.id}` : item.id]),
  );
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
  const shortcut = (id: string, targetId: string): FileItem => ({
    ...file(id, 'root', 'a.cho', '2030'),
    kind: 'shortcut',
    targetId,
    targetIs: 'binary',
  });
  const own = file('own', 'root', 'a.cho', '2025');
  expect(pathsOf(own, shortcut('link', 'nowhere'))).toEqual({ 'a.cho': 'own', 'a (link).cho': 'old link' });
  const target = (modifiedAt: string): FileItem => file('target', 'root', 'b.cho', modifiedAt);
  const [old, young] = [target('2024'), target('2026')].map((each) => pathsOf(own, shortcut('link', 'target'), each));
  expect(old).toMatchObject({ 'a.cho': 'own', 'a (link).cho': 'old link' });
  expect(young).toMatchObject({ 'a.cho': 'link', 'a (own).cho': 'old own' });
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
