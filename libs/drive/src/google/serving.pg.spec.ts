import { randomBytes } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import type { DriveFile } from '@soleil/bus';
import { GoogleRig } from '../../test/google-rig.js';

const large = randomBytes(1_000_000);

let google: GoogleRig;
let id: string;
let file: DriveFile;
beforeEach(async () => {
  google = await GoogleRig.running();
  id = google.put('large.mp3', large);
  await google.settled();
  file = await google.rig.file('large.mp3');
});
afterEach(() => google.tearDown());

it('serves the whole and any part, of exactly the revision that was asked for', async () => {
  const { drive } = google.rig;
  expect((await buffer((await drive.open(file.fileId, { revision: 1 })).stream)).equals(large)).toBe(true);
  for (const [start, end] of [
    [0, 0],
    [10, 99_999],
    [999_999, 999_999],
  ] as const) {
    const { stream } = await drive.open(file.fileId, { revision: 1, range: { start, end } });
    expect((await buffer(stream)).equals(large.subarray(start, end + 1))).toBe(true);
  }
});

it('serves an empty file without asking for its bytes', async () => {
  google.put('empty.cho', '');
  await google.settled();
  expect(await google.bytesOf('empty.cho')).toBe('');
  expect(google.asked('files.download')).toBe(0);
});

it('goes on where a download broke off, however often', async () => {
  google.fake.faults.cut({ fileId: id }, 300_000, 3);
  const { stream } = await google.rig.drive.open(file.fileId);
  expect((await buffer(stream)).equals(large)).toBe(true);
  const ranges = google.fake.server.served.flatMap(({ operation, range }) => (operation === 'files.download' ? range : []));
  expect(ranges).toHaveLength(4);
  expect(new Set(ranges.map((range) => range!.split('-')[0])).size).toBe(4);
});

it('goes on with a part of a file that broke off', async () => {
  google.fake.faults.cut({ fileId: id }, 50_000);
  const { stream } = await google.rig.drive.open(file.fileId, { range: { start: 100, end: 200_099 } });
  expect((await buffer(stream)).equals(large.subarray(100, 200_100))).toBe(true);
});

it.each(['the whole', 'bytes=50-', 'bytes=200-', 'bytes=999000-'])(
  'serves the right bytes of a part though Google answers once with %s',
  async (part) => {
    google.fake.faults.answerPart({ fileId: id }, part);
    const { stream } = await google.rig.drive.open(file.fileId, { range: { start: 100, end: 200_099 } });
    expect((await buffer(stream)).equals(large.subarray(100, 200_100))).toBe(true);
  },
);

it('asks for parts of the bytes as they are, not of what they are compressed to', async () => {
  await buffer((await google.rig.drive.open(file.fileId, { range: { start: 1, end: 2 } })).stream);
  const asked = google.fake.server.served.filter(({ operation }) => operation === 'files.download');
  expect(asked.every(({ encoding }) => !/gzip|deflate|br/.test(encoding ?? 'gzip'))).toBe(true);
});

it('serves no bytes that are newer than the recorded revision, and takes notice of them', async () => {
  google.news();
  google.fake.write(id, 'other');
  await expect(google.rig.drive.open(file.fileId, { revision: 1 })).rejects.toMatchObject({
    code: 'revision_gone',
    status: 409,
    retryable: true,
  });
  await google.rig.audience.until((told) => told.length === 1);
  expect(await text((await google.rig.drive.open(file.fileId, { revision: 2 })).stream)).toBe('other');
});

it('finds what is there by asking for the file, where Drive told an older state of it after the newest', async () => {
  google.news();
  google.fake.write(id, 'newest');
  await google.settled();
  const { revisions } = google.fake.store.get(id);
  const newest = revisions.pop()!;
  google.fake.rename(id, 'renamed.mp3');
  await google.settled();
  revisions.push(newest);
  await expect(google.rig.drive.open(file.fileId)).rejects.toMatchObject({ code: 'revision_gone' });
  await google.rig.audience.until((told) => told.length === 3);
  expect(await text((await google.rig.drive.open(file.fileId)).stream)).toBe('newest');
});

it('takes a file for removed that is not there, where Drive told an older state of it after that', async () => {
  google.news();
  google.fake.store.get(id).trashed = true;
  await expect(google.rig.drive.open(file.fileId)).rejects.toMatchObject({ code: 'revision_gone' });
  await google.rig.audience.until((told) => told.length === 1);
  expect(google.news()).toEqual([expect.stringMatching(/^removed /)]);
});

it('serves a file that was renamed or written with the same bytes since', async () => {
  google.fake.rename(id, 'other name.mp3');
  google.fake.write(id, large);
  expect((await buffer((await google.rig.drive.open(file.fileId, { revision: 1 })).stream)).equals(large)).toBe(true);
});

it.each([
  ['the whole', undefined],
  ['a part', { start: 0, end: 899_999 }],
])('fails rather than end %s with bytes of two contents', async (_, range) => {
  google.fake.faults.cut({ fileId: id }, 500_000);
  const held = google.fake.faults.hold({ operation: 'files.download', fileId: id }, 2);
  const opened = google.rig.drive.open(file.fileId, { range });
  const read = opened.then(({ stream }) => buffer(stream));
  const failed = expect(read).rejects.toMatchObject({ code: 'revision_gone' });
  await held.arrived;
  google.fake.write(id, randomBytes(1_000_000));
  held.open();
  await failed;
});

it('says of a part that the file does not have any more that the revision is gone', async () => {
  const held = google.fake.faults.hold({ operation: 'files.download', fileId: id }, 1);
  const read = google.rig.drive
    .open(file.fileId, { range: { start: 900_000, end: 999_999 } })
    .then(({ stream }) => buffer(stream));
  const failed = expect(read).rejects.toMatchObject({ code: 'revision_gone', retryable: true });
  await held.arrived;
  google.fake.write(id, 'short');
  held.open();
  await failed;
});

it('says that a file was deleted, and that none may read it any more', async () => {
  google.fake.delete(id);
  await expect(google.rig.drive.open(file.fileId)).rejects.toMatchObject({ code: 'revision_gone' });
  const forbidden = google.put('b.cho', 'b');
  await google.settled();
  google.fake.faults.answer({ operation: 'files.download' }, { status: 403, reason: 'cannotDownloadFile' });
  const { stream } = await google.rig.drive.open((await google.rig.file('b.cho')).fileId);
  await expect(buffer(stream)).rejects.toMatchObject({ code: 'access_denied', retryable: false });
  expect(forbidden).not.toBe(id);
});

it('lets go of the connection when nobody reads the stream to its end', async () => {
  const { stream } = await google.rig.drive.open(file.fileId);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  await new Promise((resolve) => stream.once('readable', resolve));
  stream.destroy();
  await closed;
  expect(stream.errored).toBeNull();
});
