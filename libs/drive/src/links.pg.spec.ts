import { link, mkdir, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bandId, DriveRig } from '../test/drive-rig.js';

let rig: DriveRig;
beforeEach(async () => {
  rig = await DriveRig.running();
});
afterEach(() => rig.tearDown());

const bytesOf = async (path: string): Promise<string> => text((await rig.drive.open((await rig.file(path)).fileId)).stream);

it('lists a link out of the folder, with the reason, and never serves what it leads to', async () => {
  await writeFile(join(rig.outside, 'secret'), 'secret');
  await symlink(join(rig.outside, 'secret'), rig.at('link.cho'));
  await mkdir(join(rig.outside, 'secrets'));
  await writeFile(join(rig.outside, 'secrets/a.cho'), 'secret');
  await symlink('../secrets', rig.at('linked folder'));
  await symlink('/etc/passwd', rig.at('absolute.cho'));
  await rig.settled();

  expect(await rig.paths()).toEqual(['absolute.cho', 'link.cho', 'linked folder']);
  for (const file of await rig.drive.files(bandId)) {
    expect(file).toMatchObject({
      size: 0,
      hash: '',
      problem: { code: 'link_leaves_folder', reason: expect.not.stringContaining(rig.outside) },
    });
    await expect(rig.drive.open(file.fileId)).rejects.toMatchObject({ code: 'link_leaves_folder', status: 403 });
  }
});

it('serves a link to a file inside the folder, and follows what is written there', async () => {
  await rig.write('songs/a.cho', 'one');
  await symlink('songs/a.cho', rig.at('today.cho'));
  await rig.settled();
  expect(await bytesOf('today.cho')).toBe('one');

  await rig.write('songs/a.cho', 'two');
  await rig.audience.until(() => rig.told.includes('changed today.cho 2'));
  expect(await bytesOf('today.cho')).toBe('two');

  await rig.write('songs/b.cho', 'three');
  await unlink(rig.at('today.cho'));
  await symlink('songs/b.cho', rig.at('today.cho'));
  await rig.settled();
  expect(await bytesOf('today.cho')).toBe('three');
});

it('says so when what a link leads to goes away, and serves it when it is back', async () => {
  await rig.write('a.cho', 'one');
  await symlink('a.cho', rig.at('today.cho'));
  await rig.settled();
  await rm(rig.at('a.cho'));
  await rig.audience.until(() => rig.told.includes('changed today.cho 2'));
  expect(await rig.file('today.cho')).toMatchObject({ problem: { code: 'link_broken' } });

  await rig.write('a.cho', 'two');
  await rig.settled();
  expect(await bytesOf('today.cho')).toBe('two');
});

it('lists what is in a linked folder once, at its own place', async () => {
  await rig.write('songs/a.cho', 'a');
  await symlink('songs', rig.at('also songs'));
  await rig.settled();
  expect(await rig.paths()).toEqual(['songs/a.cho']);
});

it('is not led around in circles by links', async () => {
  await rig.write('songs/a.cho', 'a');
  await symlink('..', rig.at('songs/up'));
  await symlink('.', rig.at('songs/here'));
  await symlink('loop two', rig.at('loop one'));
  await symlink('loop one', rig.at('loop two'));
  await rig.settled();
  expect(await rig.paths()).toEqual(['loop one', 'loop two', 'songs/a.cho']);
  expect((await rig.file('loop one')).problem).toMatchObject({ code: 'link_broken' });
});

it('does not serve a file whose place was taken by a link out of the folder a moment ago', async () => {
  await writeFile(join(rig.outside, 'secret'), 'secret');
  await rig.write('a.cho', 'mine');
  await rig.settled();
  const { fileId } = await rig.file('a.cho');
  await unlink(rig.at('a.cho'));
  await symlink(join(rig.outside, 'secret'), rig.at('a.cho'));
  await expect(rig.drive.open(fileId)).rejects.toMatchObject({ code: 'link_leaves_folder' });

  await rig.settled();
  expect(rig.told).toEqual(['added a.cho 1', 'changed a.cho 2']);
});

it('does not serve a file when a folder above it became a link out of the folder', async () => {
  await mkdir(join(rig.outside, 'elsewhere'));
  await writeFile(join(rig.outside, 'elsewhere/a.cho'), 'mine');
  await rig.write('songs/a.cho', 'mine');
  await rig.settled();
  const { fileId } = await rig.file('songs/a.cho');
  await rm(rig.at('songs'), { recursive: true });
  await symlink(join(rig.outside, 'elsewhere'), rig.at('songs'));
  await expect(rig.drive.open(fileId)).rejects.toMatchObject({ code: 'revision_gone' });

  await rig.settled();
  expect(rig.told.slice(1).sort()).toEqual(['added songs 1', 'removed songs/a.cho 2']);
});

it('takes a second name of the same file for a file of its own', async () => {
  await rig.write('a.cho', 'one');
  await rig.settled();
  await link(rig.at('a.cho'), rig.at('b.cho'));
  await rig.settled();
  expect(rig.told).toEqual(['added a.cho 1', 'added b.cho 1']);
});
