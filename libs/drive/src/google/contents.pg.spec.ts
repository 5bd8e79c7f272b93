import { contentOf, type Content } from '../../../../test/fake-drive/content.js';
import { bandId } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

let google: GoogleRig;
afterEach(() => google.tearDown());

it('exports documents as PDF, and serves the same bytes for one revision however often Google would make others', async () => {
  google = await GoogleRig.running();
  const id = google.fake.googleDoc('Setlist', '%PDF one', google.folder);
  await google.settled();
  expect(google.news()).toEqual(['added Setlist.pdf 1']);
  expect(await google.rig.file('Setlist.pdf')).toMatchObject({ size: 8, mimeType: 'application/pdf', problem: null });

  // The same words, exported at another time.
  google.fake.store.get(id).exports.set('application/pdf', contentOf('%PDF ONE'));
  const exported = google.asked('files.export');
  google.fake.rename(id, 'Setlist May');
  await google.settled();
  expect(await google.bytesOf('Setlist May.pdf')).toBe('%PDF one');
  expect(google.asked('files.export')).toBe(exported);

  google.fake.editGoogleDoc(id, '%PDF two, longer');
  await google.settled();
  expect(google.news()).toEqual(['changed Setlist May.pdf 2', 'changed Setlist May.pdf 3']);
  const { fileId, revision } = await google.rig.file('Setlist May.pdf');
  const part = await google.rig.drive.open(fileId, { revision, range: { start: 5, end: 7 } });
  expect((await part.stream.toArray()).join('')).toBe('two');
});

it('reads a file of which Google tells no SHA-256 once, and serves what has its MD5', async () => {
  google = await GoogleRig.running();
  const { fake, folder } = google;
  const old = (words: string): Content => ({ ...contentOf(words), sha256: undefined as never });
  const id = fake.put('old.cho', old('0123456789'), { parent: folder });
  fake.put('empty.cho', old(''), { parent: folder });
  fake.shortcut('today.cho', id, folder);
  await google.settled();
  fake.rename(id, 'older.cho');
  await google.settled();
  expect(google.asked('files.download')).toBe(1);
  const file = await google.rig.file('older.cho');
  expect(file.hash).toBe(contentOf('0123456789').sha256);
  const { stream } = await google.rig.drive.open(file.fileId, { range: { start: 2, end: 4 } });
  expect((await stream.toArray()).join('')).toBe('234');
  expect(await google.bytesOf('today.cho')).toBe('0123456789');

  fake.write(id, old('9876543210'));
  await expect(google.rig.drive.open(file.fileId)).rejects.toMatchObject({ code: 'revision_gone' });
  await google.settled();
  expect(await google.bytesOf('older.cho')).toBe('9876543210');
});

it('reads a file of which Google tells no checksum at all once, and serves it while its revision is the same', async () => {
  google = await GoogleRig.running();
  const bare = (words: string): Content => ({ ...contentOf(words), sha256: undefined as never, md5: undefined as never });
  const id = google.put('a.cho', '');
  google.fake.write(id, bare('0123456789'));
  await google.settled();
  expect(await google.bytesOf('a.cho')).toBe('0123456789');
  const { fileId } = await google.rig.file('a.cho');
  const { stream } = await google.rig.drive.open(fileId, { range: { start: 2, end: 4 } });
  expect((await stream.toArray()).join('')).toBe('234');
  google.fake.write(id, bare('9876543210'));
  await expect(google.rig.drive.open(fileId, { revision: 1 })).rejects.toMatchObject({ code: 'revision_gone' });
});

it('leaves out what is no file of a band', async () => {
  google = await GoogleRig.running();
  for (const type of ['form', 'map', 'site', 'drive-sdk.123'])
    google.fake.put(type, '', { parent: google.folder, mimeType: `application/vnd.google-apps.${type}` });
  await google.settled();
  expect(await google.rig.paths()).toEqual([]);
});

it('lists a file that is too large with the reason, and serves it when it has shrunk', async () => {
  google = await GoogleRig.running({ drive: { maxFileBytes: 1_000 } });
  const id = google.put('large.mp3', Buffer.alloc(1_001));
  google.put('fits.mp3', Buffer.alloc(1_000));
  google.fake.googleDoc('large', 'x'.repeat(1_001), google.folder);
  await google.settled();
  for (const path of ['large.mp3', 'large.pdf']) {
    const file = await google.rig.file(path);
    expect(file).toMatchObject({ size: 0, hash: '', problem: { code: 'file_too_large' } });
    await expect(google.rig.drive.open(file.fileId)).rejects.toMatchObject({ code: 'file_too_large', status: 413 });
  }
  google.fake.write(id, 'small');
  await google.settled();
  expect(await google.bytesOf('large.mp3')).toBe('small');
});

it('lists a file that its owner lets nobody download with the reason', async () => {
  google = await GoogleRig.running();
  google.fake.forbidDownload(google.put('a.cho', 'a'));
  google.fake.forbidDownload(google.fake.googleDoc('doc', '%PDF', google.folder));
  await google.settled();
  for (const path of ['a.cho', 'doc.pdf'])
    expect(await google.rig.file(path)).toMatchObject({ size: 0, hash: '', problem: { code: 'not_readable' } });
});

it('serves a shortcut as the file it leads to, and follows what becomes of that', async () => {
  google = await GoogleRig.running();
  const { fake, folder } = google;
  const target = google.put('song.cho', 'one', fake.folder('songs', folder));
  fake.shortcut('today.cho', target, folder);
  const doc = fake.googleDoc('Notes', '%PDF', folder);
  fake.shortcut('Notes today', doc, folder);
  await google.settled();
  expect(await google.bytesOf('today.cho')).toBe('one');
  expect(await google.bytesOf('Notes today.pdf')).toBe('%PDF');
  google.news();

  fake.write(target, 'two');
  await google.settled();
  expect(google.news()).toEqual(['changed songs/song.cho 2', 'changed today.cho 2']);
  expect(await google.bytesOf('today.cho')).toBe('two');

  fake.delete(target);
  await google.settled();
  expect(await google.rig.file('today.cho')).toMatchObject({ revision: 3, problem: { code: 'link_broken' } });
});

it('lists a shortcut out of the folder with the reason, and never serves what it leads to', async () => {
  google = await GoogleRig.running();
  const { fake, folder } = google;
  const secret = fake.put('secret.cho', 'secret');
  fake.shortcut('link.cho', secret, folder);
  const secrets = fake.folder('secrets');
  fake.shortcut('linked folder', secrets, folder);
  await google.settled();
  for (const path of ['link.cho', 'linked folder']) {
    const { fileId, problem } = await google.rig.file(path);
    expect(problem).toMatchObject({ code: 'link_leaves_folder' });
    await expect(google.rig.drive.open(fileId)).rejects.toMatchObject({ code: 'link_leaves_folder' });
  }

  fake.move(secret, folder);
  fake.delete(secrets);
  await google.settled();
  expect(await google.bytesOf('link.cho')).toBe('secret');
  expect(await google.rig.file('linked folder')).toMatchObject({ problem: { code: 'link_broken' } });
});

it('lists what is in a linked folder once, at its own place', async () => {
  google = await GoogleRig.running();
  const songs = google.fake.folder('songs', google.folder);
  google.put('a.cho', 'a', songs);
  google.fake.shortcut('also songs', songs, google.folder);
  google.fake.shortcut('up', google.folder, songs);
  await google.settled();
  expect(await google.rig.paths()).toEqual(['songs/a.cho']);
});

it('gives a shortcut to a folder no name, whoever looks when, and lists it when the folder has left', async () => {
  google = await GoogleRig.running();
  const { fake, folder } = google;
  const set = fake.folder('set', folder);
  const ids = [fake.put('elsewhere', 'x'), set].map((target) => fake.shortcut('link', target, folder));
  await google.settled();
  expect(await google.rig.paths()).toEqual(['link']);
  google.news();
  google.put('a.cho', 'a');
  await google.settled();
  await google.restart();
  await google.settled();
  fake.changeLog().expireTokens();
  await google.settled();
  expect(google.news()).toEqual(['added a.cho 1']);

  fake.move(set, fake.rootOf(fake.band.email));
  await google.settled();
  expect(await google.rig.paths()).toEqual(['a.cho', 'link', `link (${ids.sort()[0]})`]);
  expect((await google.rig.drive.files(bandId)).map(({ problem }) => problem?.code)).toEqual([
    undefined,
    'link_leaves_folder',
    'link_leaves_folder',
  ]);
  fake.move(set, folder);
  await google.settled();
  expect(await google.rig.paths()).toEqual(['a.cho', 'link']);
});

describe('what cannot be exported', () => {
  const exports = (): number => google.asked('files.export');
  const somethingElseChanges = async (): Promise<void> => {
    google.put('other.cho', 'x');
    await google.settled();
  };

  it('is not asked for again while the document is the same, whatever else changes, and is when it was edited', async () => {
    google = await GoogleRig.running();
    const large = google.fake.googleDoc('large', '%PDF', google.folder);
    google.fake.faults.answer({ operation: 'files.export' }, { status: 403, reason: 'exportSizeLimitExceeded' });
    await google.settled();
    expect(await google.rig.file('large.pdf')).toMatchObject({ problem: { code: 'file_too_large' } });
    await somethingElseChanges();
    google.fake.rename(large, 'very large');
    await google.settled();
    await google.restart();
    await google.settled();
    google.fake.changeLog().expireTokens();
    await google.settled();
    expect(await google.rig.file('very large.pdf')).toMatchObject({ problem: { code: 'file_too_large' } });
    expect(exports()).toBe(1);

    google.fake.editGoogleDoc(large, '%PDF smaller');
    await google.settled();
    expect(await google.bytesOf('very large.pdf')).toBe('%PDF smaller');
  });

  it('is asked for again when more is served than before', async () => {
    google = await GoogleRig.running({ drive: { maxFileBytes: 1_000 } });
    google.fake.googleDoc('large', 'x'.repeat(1_001), google.folder);
    await google.settled();
    google.rig.options.maxFileBytes = 2_000;
    await google.restart();
    await google.settled();
    expect(await google.rig.file('large.pdf')).toMatchObject({ size: 1_001, problem: null });
  });

  it('is asked for again when something is heard of it: who may read it is of no version', async () => {
    google = await GoogleRig.running();
    const id = google.fake.googleDoc('doc', '%PDF', google.folder);
    google.fake.forbidDownload(id);
    await google.settled();
    await somethingElseChanges();
    expect(exports()).toBe(1);
    google.fake.store.edit(id, (item) => (item.canDownload = true));
    await google.settled();
    expect(await google.bytesOf('doc.pdf')).toBe('%PDF');
  });

  it('is asked for again when all is listed, where it could not be read', async () => {
    google = await GoogleRig.running();
    google.fake.googleDoc('doc', '%PDF', google.folder);
    google.fake.faults.answer({ operation: 'files.export' }, { status: 403, reason: 'downloadQuotaExceeded' });
    await google.settled();
    expect(await google.rig.file('doc.pdf')).toMatchObject({ problem: { code: 'not_readable' } });
    google.fake.changeLog().expireTokens();
    await google.settled();
    expect(await google.bytesOf('doc.pdf')).toBe('%PDF');
  });
});
