import { copyFile, mkdir, rm } from 'node:fs/promises';
import { DriveRig } from '../test/drive-rig.js';

let rig: DriveRig;
afterEach(() => rig.tearDown());

async function withFiles(files: Record<string, string>): Promise<void> {
  rig = await DriveRig.running();
  for (const [path, content] of Object.entries(files)) await rig.write(path, content);
  await rig.settled();
  rig.audience.told = [];
}

it('follows a file that is renamed', async () => {
  await withFiles({ 'Amzing Grace.cho': 'a' });
  const { fileId } = await rig.file('Amzing Grace.cho');
  await rig.move('Amzing Grace.cho', 'Amazing Grace.cho');
  await rig.settled();

  expect(rig.told).toEqual(['changed Amazing Grace.cho 2']);
  expect(await rig.file('Amazing Grace.cho')).toMatchObject({ fileId, revision: 2 });
});

it('follows a file that is renamed and edited at once', async () => {
  await withFiles({ 'a.cho': 'a' });
  const { fileId } = await rig.file('a.cho');
  await rig.move('a.cho', 'b.cho');
  await rig.write('b.cho', 'edited');
  await rig.settled();

  expect(rig.told).toEqual(['changed b.cho 2']);
  expect((await rig.file('b.cho')).fileId).toBe(fileId);
});

it('follows a file that is moved by copying and deleting it, as between two disks', async () => {
  await withFiles({ 'a.cho': 'the words' });
  const { fileId } = await rig.file('a.cho');
  await mkdir(rig.at('archive'));
  await copyFile(rig.at('a.cho'), rig.at('archive/a.cho'));
  await rm(rig.at('a.cho'));
  await rig.settled();

  expect(rig.told).toEqual(['changed archive/a.cho 2']);
  expect((await rig.file('archive/a.cho')).fileId).toBe(fileId);
});

it('takes a copy for another file', async () => {
  await withFiles({ 'a.cho': 'a' });
  await copyFile(rig.at('a.cho'), rig.at('b.cho'));
  await rig.settled();
  expect(rig.told).toEqual(['added b.cho 1']);
});

it('takes a file that only got the place on disk of a deleted one for another file', async () => {
  await withFiles({ 'a.cho': 'first song' });
  const { fileId } = await rig.file('a.cho');
  await rm(rig.at('a.cho'));
  await rig.write('b.cho', 'second song');
  await rig.settled();

  expect(rig.told.sort()).toEqual(['added b.cho 1', 'removed a.cho 2']);
  expect((await rig.file('b.cho')).fileId).not.toBe(fileId);
});

it('takes a file that is moved over another for a change of that one', async () => {
  await withFiles({ 'draft.cho': 'new', 'a.cho': 'old' });
  const { fileId } = await rig.file('a.cho');
  await rig.move('draft.cho', 'a.cho');
  await rig.settled();

  expect(rig.told.sort()).toEqual(['changed a.cho 2', 'removed draft.cho 2']);
  expect((await rig.file('a.cho')).fileId).toBe(fileId);
});

it('follows every file of a folder that is renamed', async () => {
  const names = Array.from({ length: 30 }, (_, n) => `song ${n}.cho`);
  await withFiles(Object.fromEntries(names.map((name) => [`set one/deep/${name}`, `words of ${name}`])));
  const before = new Map(
    (await rig.drive.files('band-1')).map((file) => [file.path.replace('set one', 'set two'), file.fileId]),
  );
  await rig.move('set one', 'set two');
  await rig.settled();

  expect(rig.told.sort()).toEqual(names.map((name) => `changed set two/deep/${name} 2`).sort());
  expect(new Map((await rig.drive.files('band-1')).map((file) => [file.path, file.fileId]))).toEqual(before);
  await rig.write('set two/deep/after.cho', 'still watched');
  await rig.audience.until(() => rig.told.includes('added set two/deep/after.cho 1'));
});

it('tells that a file was removed, and asks for it are answered so', async () => {
  await withFiles({ 'a.cho': 'a' });
  const { fileId } = await rig.file('a.cho');
  await rm(rig.at('a.cho'));
  await rig.audience.until((told) => told.length === 1);

  expect(rig.told).toEqual(['removed a.cho 2']);
  expect(await rig.drive.state(fileId)).toEqual({ state: 'removed', fileId, bandId: 'band-1', path: 'a.cho', revision: 2 });
  await expect(rig.drive.open(fileId)).rejects.toMatchObject({ code: 'file_removed' });
  await expect(rig.drive.open(fileId, { revision: 1 })).rejects.toMatchObject({ code: 'revision_gone' });
});

it('tells of each file of a folder that is deleted', async () => {
  await withFiles({ 'set/a.cho': 'a', 'set/deep/b.cho': 'b', 'c.cho': 'c' });
  await rm(rig.at('set'), { recursive: true });
  await rig.audience.until((told) => told.length === 2);
  await rig.settled();
  expect(rig.told.sort()).toEqual(['removed set/a.cho 2', 'removed set/deep/b.cho 2']);
});

it('removes the file that a folder of its name took the place of', async () => {
  await withFiles({ set: 'a file' });
  await rm(rig.at('set'));
  await rig.write('set/a.cho', 'a');
  await rig.settled();
  expect(rig.told.sort()).toEqual(['added set/a.cho 1', 'removed set 2']);
});

it('continues the revisions of a file that comes back', async () => {
  await withFiles({ 'a.cho': 'a' });
  const { fileId } = await rig.file('a.cho');
  await rm(rig.at('a.cho'));
  await rig.settled();
  await rig.write('a.cho', 'again');
  await rig.settled();

  expect(rig.told).toEqual(['removed a.cho 2', 'added a.cho 3']);
  expect(await rig.file('a.cho')).toMatchObject({ fileId, revision: 3 });
});
