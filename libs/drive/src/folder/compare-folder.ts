import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { ChangeLog } from '../change-log.js';
import type { Fingerprint } from '../provider.js';
import { isIgnoredName, isIgnoredPath } from '../ignored.js';
import { fingerprintOf, sameFingerprint } from './look.js';
import { missing, type Root } from './root.js';

const logger = new Logger('Drive');

/**
 * The paths in a folder, and in all folders below it, that may differ from what is known; each is to be looked at on its
 * own. A file is left out when its fingerprint is the known one, so nothing is read but the directories.
 * @param under `''` for the band's whole folder
 * @throws DriveError `folder_missing` when the band's folder cannot be listed
 */
export async function compareFolder(root: Root, under: string, changeLog: ChangeLog): Promise<string[]> {
  const listed = await listFolder(root, under);
  const known = new Map((await changeLog.presentUnder(under)).map((file) => [file.path, file]));
  const differing: string[] = [];
  for (const [path, fingerprint] of listed) {
    const file = known.get(path);
    const isSame =
      file && fingerprint && !file.problem && file.linkTarget === null && sameFingerprint(file.fingerprint, fingerprint);
    if (!isSame) differing.push(path);
  }
  for (const path of known.keys()) if (!listed.has(path)) differing.push(path);
  return differing;
}

/** Everything below a folder that may be a file of the band; with its fingerprint, or with null for a link. */
export async function listFolder(root: Root, under: string): Promise<Map<string, Fingerprint | null>> {
  const listed = new Map<string, Fingerprint | null>();
  await listInto(listed, root, under);
  return listed;
}

async function listInto(listed: Map<string, Fingerprint | null>, root: Root, folder: string): Promise<void> {
  const entries = await entriesOf(root, folder);
  const folders: string[] = [];
  await Promise.all(
    entries.map(async (entry) => {
      const name = nameOf(entry.name, folder);
      if (name === null) return;
      const path = folder === '' ? name : `${folder}/${name}`;
      if (isIgnoredName(name)) return;
      if (isIgnoredPath(path)) logger.warn(`"${path.slice(0, 200)}…" is left out: its path is too long`);
      else if (entry.isDirectory()) folders.push(path);
      else if (entry.isSymbolicLink()) listed.set(path, null);
      else if (entry.isFile()) {
        const stats = await lstat(join(root.place(folder), name), { bigint: true }).catch(() => null);
        if (stats) listed.set(path, fingerprintOf(stats));
      }
    }),
  );
  for (const path of folders) await listInto(listed, root, path);
}

async function entriesOf(root: Root, folder: string) {
  try {
    return await readdir(root.place(folder), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (folder === '') throw missing('The folder cannot be listed.', error);
    // What is known below it is looked at file by file, so nothing is taken for removed only because it cannot be listed.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') logger.warn(`The folder "${folder}" cannot be listed (${code})`);
    return [];
  }
}

function nameOf(bytes: Buffer, folder: string): string | null {
  const name = bytes.toString('utf8');
  if (Buffer.from(name, 'utf8').equals(bytes)) return name;
  logger.warn(`"${name}" in the folder "${folder}" is left out: its name is not UTF-8`);
  return null;
}
