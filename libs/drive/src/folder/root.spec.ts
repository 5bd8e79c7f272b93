import { mkdtemp, realpath, rename, rm, symlink, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Root } from './root.js';

let place: string;
beforeEach(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), 'soleil-root-')));
  await mkdir(join(place, 'band'));
});
afterEach(() => rm(place, { recursive: true }));

it.each(['/etc/passwd', '..', '../a.cho', 'songs/../../a.cho', 'a\0.cho', 'songs//a.cho', './a.cho', 'songs/'])(
  'refuses the path %j',
  async (path) => {
    const root = await Root.find(join(place, 'band'));
    expect(() => root.place(path)).toThrow(expect.objectContaining({ code: 'path_invalid', status: 400 }));
  },
);

it('knows what lies inside it', async () => {
  const root = await Root.find(join(place, 'band'));
  expect(root.place('songs/..a.cho')).toBe(join(place, 'band/songs/..a.cho'));
  expect(root.pathOf(join(place, 'band/songs/a.cho'))).toBe('songs/a.cho');
  expect(root.pathOf(join(place, 'band/..a.cho'))).toBe('..a.cho');
  expect(root.pathOf(join(place, 'band'))).toBe('');
  for (const outside of [place, join(place, 'band two/a.cho'), '/']) expect(root.pathOf(outside)).toBeNull();
});

it('knows a folder from a link to it, however many ask at once, and sees what changes in between', async () => {
  const root = await Root.find(join(place, 'band'));
  const songs = join(root.real, 'songs');
  await mkdir(songs);
  expect(await Promise.all([root.isReal(songs), root.isReal(songs), root.isReal(root.real)])).toEqual([true, true, true]);
  await rename(songs, join(root.real, 'old'));
  await symlink('old', songs);
  expect(await Promise.all([root.isReal(songs), root.isReal(songs)])).toEqual([false, false]);
  await rm(songs);
  await expect(root.isReal(songs)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('is missing when it is away, no folder, or another folder', async () => {
  const asked = join(place, 'link');
  await expect(Root.find(asked)).rejects.toMatchObject({ code: 'folder_missing' });
  await writeFile(join(place, 'file'), '');
  await expect(Root.find(join(place, 'file'))).rejects.toMatchObject({ code: 'folder_missing' });

  await symlink('band', asked);
  const root = await Root.find(asked);
  await expect(root.ensureUnchanged()).resolves.toBeUndefined();
  await rename(join(place, 'band'), join(place, 'away'));
  await expect(root.ensureUnchanged()).rejects.toMatchObject({ code: 'folder_missing' });
  await mkdir(join(place, 'band'));
  await expect(root.ensureUnchanged()).rejects.toMatchObject({ code: 'folder_missing' });
});
