import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureLibraryLinks } from './binaries.js';

const LINKS = [
  { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' },
  { source: 'native/lib/libicuuc.so.60.2', target: 'native/lib/libicuuc.so.60' },
];

let root: string;
let lib: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'binaries of soleil-'));
  lib = join(root, 'native', 'lib');
  await mkdir(lib, { recursive: true });
  await writeFile(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(LINKS));
  for (const { source } of LINKS) await writeFile(join(root, source), `the library ${source}`);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const ensure = () => ensureLibraryLinks(root, join(root, 'fallback'));
const read = (name: string) => readFile(join(lib, name), 'utf8');

it('makes the links that a blocked install script left out', async () => {
  expect(await ensure()).toBeUndefined();
  expect(await read('libpq.so.5')).toBe('the library native/lib/libpq.so.5.18');
  expect(await read('libicuuc.so.60')).toBe('the library native/lib/libicuuc.so.60.2');
});

it('replaces a link that leads nowhere', async () => {
  await symlink('libpq.so.5.17', join(lib, 'libpq.so.5'));
  await ensure();
  expect(await read('libpq.so.5')).toBe('the library native/lib/libpq.so.5.18');
});

it('lets many starts make the links at once and leaves nothing else behind', async () => {
  await Promise.all(Array.from({ length: 20 }, ensure));
  expect((await readdir(lib)).sort()).toEqual(['libicuuc.so.60', 'libicuuc.so.60.2', 'libpq.so.5', 'libpq.so.5.18']);
});

it('says to install again when a library itself is missing', async () => {
  await rm(join(lib, 'libpq.so.5.18'));
  await expect(ensure()).rejects.toMatchObject({
    code: 'binaries_missing',
    remedy: expect.stringContaining('npm install'),
  });
});
