import { createHash } from 'node:crypto';
import { appendFile, open, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { bandId, DriveRig } from '../test/drive-rig.js';

let rig: DriveRig;
afterEach(() => rig.tearDown());

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

it('tells of a saved file, and serves its bytes', async () => {
  rig = await DriveRig.running();
  await rig.write('Amazing Grace_Concert.cho', '{title: Amazing Grace}');
  await rig.audience.until((told) => told.length === 1);

  expect(rig.told).toEqual(['added Amazing Grace_Concert.cho 1']);
  const file = await rig.file('Amazing Grace_Concert.cho');
  expect(file).toMatchObject({
    bandId,
    size: 22,
    hash: sha256('{title: Amazing Grace}'),
    mimeType: 'text/plain; charset=utf-8',
    revision: 1,
    problem: null,
  });
  expect(rig.audience.told[0]).toMatchObject({ bandId, fileId: file.fileId });
  const { stream } = await rig.drive.open(file.fileId, { revision: 1 });
  expect(await text(stream)).toBe('{title: Amazing Grace}');
});

it('takes a file that is still being written for one save, with its last bytes', async () => {
  rig = await DriveRig.running({ settleMs: 400 });
  await rig.write('a.cho', 'first half, ');
  // The pause is the subject: shorter than the settle time.
  await pause(100);
  await appendFile(rig.at('a.cho'), 'second half');
  await rig.audience.until((told) => told.length === 1);
  await rig.settled();

  expect(rig.told).toEqual(['added a.cho 1']);
  expect((await rig.file('a.cho')).hash).toBe(sha256('first half, second half'));
});

it('waits for the bytes that an editor writes some time after it has truncated the file', async () => {
  rig = await DriveRig.running({ emptySettleMs: 1_500 });
  await rig.write('a.cho', 'one');
  await rig.settled();
  await truncate(rig.at('a.cho'));
  await pause(400);
  await writeFile(rig.at('a.cho'), 'two');
  await rig.settled();

  expect(rig.told).toEqual(['added a.cho 1', 'changed a.cho 2']);
  expect((await rig.file('a.cho')).hash).toBe(sha256('two'));
});

it('believes that a file is empty when it stays so', async () => {
  rig = await DriveRig.running({ emptySettleMs: 200 });
  await rig.write('a.pdf', '');
  await rig.settled();
  const file = await rig.file('a.pdf');
  expect(file).toMatchObject({ size: 0, hash: sha256(''), problem: null });
  const { stream, start, end } = await rig.drive.open(file.fileId);
  expect([await text(stream), start, end]).toEqual(['', 0, -1]);
});

it('keeps the file when an editor saves by writing another one and renaming it', async () => {
  rig = await DriveRig.running();
  await rig.write('a.cho', 'one');
  await rig.settled();
  const { fileId } = await rig.file('a.cho');

  await rig.write('sedXyZ', 'two');
  await rename(rig.at('sedXyZ'), rig.at('a.cho'));
  await rig.settled();
  // Vim: the old file becomes the backup, the new one is written in its place, the backup goes.
  await rename(rig.at('a.cho'), rig.at('a.cho~'));
  await rig.write('a.cho', 'three');
  await rig.settled();

  expect(rig.told).toEqual(['added a.cho 1', 'changed a.cho 2', 'changed a.cho 3']);
  expect(await rig.file('a.cho')).toMatchObject({ fileId, revision: 3, hash: sha256('three') });
});

it('has nothing to tell when the same bytes are saved again, or the file is only touched', async () => {
  rig = await DriveRig.running();
  await rig.write('a.cho', 'same');
  await rig.settled();
  await rig.write('a.cho', 'same');
  await rig.settled();
  await utimes(rig.at('a.cho'), new Date(), new Date(2020, 1, 1));
  await rig.settled();
  await rig.write('b.tmp', 'same');
  await rename(rig.at('b.tmp'), rig.at('a.cho'));
  await rig.settled();

  expect(rig.told).toEqual(['added a.cho 1']);
});

it('tells five hundred quick saves of one file as few changes, the last with the last bytes', async () => {
  rig = await DriveRig.running();
  for (let n = 1; n <= 500; n += 1) await rig.write('a.cho', `version ${n}`);
  await rig.settled();

  const last = await rig.file('a.cho');
  expect(last.hash).toBe(sha256('version 500'));
  expect(rig.told.at(-1)).toBe(`${last.revision === 1 ? 'added' : 'changed'} a.cho ${last.revision}`);
  expect(rig.told.length).toBeLessThan(20);
});

it('tells each of fifty files that are saved at once', async () => {
  rig = await DriveRig.running();
  const names = Array.from({ length: 50 }, (_, n) => `song ${n}.cho`);
  await Promise.all(names.map((name) => rig.write(name, `{title: ${name}}`)));
  await rig.audience.until((told) => told.length === 50);

  expect(rig.told.sort()).toEqual(names.map((name) => `added ${name} 1`).sort());
});

it('finds what is in a folder that appears with everything in it', async () => {
  rig = await DriveRig.running();
  await rig.write('../elsewhere/deep/er/a.cho', 'a');
  await rig.write('../elsewhere/b.cho', 'b');
  await rename(`${rig.outside}/elsewhere`, rig.at('songs'));
  await rig.audience.until((told) => told.length === 2);
  await rig.write('songs/deep/er/new.cho', 'later');
  await rig.audience.until((told) => told.length === 3);

  expect(await rig.paths()).toEqual(['songs/b.cho', 'songs/deep/er/a.cho', 'songs/deep/er/new.cho']);
});

it('leaves out hidden files and what editors, browsers and systems leave behind', async () => {
  rig = await DriveRig.running();
  const left = [
    '.a.cho.swp',
    '.hidden/b.cho',
    'c.cho~',
    'd.tmp',
    'e.pdf.part',
    'f.pdf.crdownload',
    '4913',
    '__MACOSX/g.cho',
    'Thumbs.db',
    'desktop.ini',
  ];
  for (const path of left) await rig.write(path, 'x');
  await rig.write('kept.cho', 'x');
  await rig.settled();

  expect(await rig.paths()).toEqual(['kept.cho']);
  expect(rig.told).toEqual(['added kept.cho 1']);
});

it('sees what is written through a handle that stays open', async () => {
  rig = await DriveRig.running();
  const handle = await open(rig.at('a.cho'), 'w');
  try {
    await handle.write('one');
    await rig.audience.until((told) => told.length === 1);
    await handle.write(' two');
    await rig.audience.until((told) => told.length === 2);
    expect((await rig.file('a.cho')).hash).toBe(sha256('one two'));
  } finally {
    await handle.close();
  }
});
