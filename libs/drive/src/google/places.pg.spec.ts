import { bandId } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

let google: GoogleRig;
beforeEach(async () => {
  google = await GoogleRig.running();
});
afterEach(() => google.tearDown());

/** The identities of the files by their paths. */
async function ids(): Promise<Record<string, string>> {
  return Object.fromEntries((await google.rig.drive.files(bandId)).map(({ path, fileId }) => [path, fileId]));
}

it('follows a file that is renamed, edited and moved at once', async () => {
  const id = google.put('a.cho', 'a');
  const set = google.fake.folder('set', google.folder);
  await google.settled();
  const before = await ids();
  google.fake.rename(id, 'b.cho');
  google.fake.write(id, 'other words');
  google.fake.move(id, set);
  await google.settled();

  expect(google.news()).toEqual(['added a.cho 1', 'changed set/b.cho 2']);
  expect((await ids())['set/b.cho']).toBe(before['a.cho']);
});

it('follows the files of a folder that is renamed or moved, of which Drive tells the folder only', async () => {
  const outer = google.fake.folder('outer', google.folder);
  const inner = google.fake.folder('inner', outer);
  google.put('a.cho', 'a', outer);
  google.put('b.cho', 'b', inner);
  await google.settled();
  const before = await ids();
  google.news();
  google.fake.rename(outer, 'renamed');
  await google.settled();
  google.fake.move(inner, google.folder);
  await google.settled();

  expect(google.news()).toEqual(['changed inner/b.cho 3', 'changed renamed/a.cho 2', 'changed renamed/inner/b.cho 2']);
  expect(await ids()).toEqual({ 'inner/b.cho': before['outer/inner/b.cho'], 'renamed/a.cho': before['outer/a.cho'] });
});

it('follows files that take each other’s names', async () => {
  const [a, b] = ['a', 'b'].map((name) => google.put(`${name}.cho`, `words of ${name}`));
  await google.settled();
  const before = await ids();
  google.fake.rename(a!, 'b.cho');
  google.fake.rename(b!, 'a.cho');
  await google.settled();

  expect(await ids()).toEqual({ 'a.cho': before['b.cho'], 'b.cho': before['a.cho'] });
  expect(await google.bytesOf('a.cho')).toBe('words of b');
});

it('takes what leaves the folder for gone, and lists what comes into it with all below', async () => {
  const elsewhere = google.fake.folder('elsewhere');
  const set = google.fake.folder('set', elsewhere);
  google.put('a.cho', 'a', google.fake.folder('deep', set));
  const b = google.put('b.cho', 'b');
  await google.settled();
  expect(google.news()).toEqual(['added b.cho 1']);

  google.fake.move(set, google.folder);
  google.fake.move(b, elsewhere);
  await google.settled();
  expect(google.news()).toEqual(['added set/deep/a.cho 1', 'removed b.cho 2']);

  google.fake.move(set, elsewhere);
  await google.settled();
  google.fake.move(set, google.folder);
  google.put('c.cho', 'c', set);
  await google.settled();
  expect(google.news()).toEqual(['added set/c.cho 1', 'added set/deep/a.cho 3', 'removed set/deep/a.cho 2']);
});

it('follows a folder that goes to the trash and comes back', async () => {
  const set = google.fake.folder('set', google.folder);
  google.put('a.cho', 'a', set);
  google.put('b.cho', 'b', google.fake.folder('deep', set));
  await google.settled();
  const before = await ids();
  google.news();
  google.fake.trash(set);
  await google.settled();
  expect(google.news()).toEqual(['removed set/a.cho 2', 'removed set/deep/b.cho 2']);

  google.fake.untrash(set);
  await google.settled();
  expect(google.news()).toEqual(['added set/a.cho 3', 'added set/deep/b.cho 3']);
  expect(await ids()).toEqual(before);
});

it('is not confused when Drive tells each file of a folder as well', async () => {
  google.fake.store.tellsDescendants = true;
  const set = google.fake.folder('set', google.folder);
  google.put('a.cho', 'a', set);
  await google.settled();
  google.fake.rename(set, 'renamed');
  await google.settled();
  google.fake.trash(set);
  await google.settled();
  expect(google.news()).toEqual(['added set/a.cho 1', 'changed renamed/a.cho 2', 'removed renamed/a.cho 3']);
});

it('lists the files of two folders with one name as if they were one', async () => {
  google.put('a.cho', 'a', google.fake.folder('set', google.folder));
  google.put('b.cho', 'b', google.fake.folder('set', google.folder));
  await google.settled();
  expect(await google.rig.paths()).toEqual(['set/a.cho', 'set/b.cho']);
});

it('takes names with odd characters as they are, but for what cannot be in a path', async () => {
  const names = {
    'AC/DC.cho': 'AC／DC.cho',
    '..': '．．',
    'Don\'t #2 100% \\ "x".cho': 'Don\'t #2 100% \\ "x".cho',
    '🎺 Für Élise\n.cho': '🎺 Für Élise\n.cho',
    'half \ud83c.cho': 'half \ufffd.cho',
    'nothing\0.cho': 'nothing␀.cho',
  };
  for (const name of Object.keys(names)) google.put(name, name);
  google.put('a.cho', 'a', google.fake.folder('rock/pop', google.folder));
  await google.settled();
  expect(await google.rig.paths()).toEqual([...Object.values(names), 'rock／pop/a.cho'].sort());
  expect(await google.bytesOf('AC／DC.cho')).toBe('AC/DC.cho');
});

it('leaves out what programs leave beside the files, until it is renamed', async () => {
  const hidden = google.fake.folder('.git', google.folder);
  google.put('a.cho', 'a', hidden);
  const draft = google.put('b.cho.tmp', 'b');
  await google.settled();
  expect(await google.rig.paths()).toEqual([]);

  google.fake.rename(hidden, 'git');
  google.fake.rename(draft, 'b.cho');
  await google.settled();
  expect(google.news()).toEqual(['added b.cho 1', 'added git/a.cho 1']);
});

it('goes over to the files of another folder when the band is connected to it', async () => {
  google.put('a.cho', 'a');
  await google.settled();
  const other = google.fake.folder('other');
  google.put('b.cho', 'b', other);
  await google.rig.drive.connect({ bandId, provider: 'google', settings: { folderId: other } });
  await google.settled();
  expect(google.news()).toEqual(['added a.cho 1', 'added b.cho 1', 'removed a.cho 2']);
});
