import { constants } from 'node:fs';
import { open, readlink, realpath, lstat, type FileHandle } from 'node:fs/promises';
import { DriveError } from '../drive-error.js';
import { problemOf } from '../file-problem.js';
import type { Fingerprint } from '../provider.js';
import { fingerprintOf } from './look.js';
import { identityOf, type Root } from './root.js';

export interface OpenedFile {
  handle: FileHandle;
  /** As it was opened. */
  fingerprint: Fingerprint;
}

/**
 * Opens what was looked at before, and makes sure that the opened file lies inside the folder: between look and open
 * somebody may have put a link in its place, or in the place of a folder above it.
 * @throws DriveError `link_leaves_folder`, `not_readable`; `revision_gone` when nothing is there
 */
export async function openInside(root: Root, place: string): Promise<OpenedFile> {
  let handle: FileHandle;
  try {
    handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw explained(error);
  }
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile() || stats.nlink === 0n) throw gone();
    const really = await placeOfHandle(handle, place);
    if (root.pathOf(really) === null) throw new DriveError('link_leaves_folder', problemOf('link_leaves_folder').reason);
    return { handle, fingerprint: fingerprintOf(stats) };
  } catch (error) {
    await handle.close();
    throw explained(error);
  }
}

export function gone(cause?: unknown): DriveError {
  return new DriveError('revision_gone', 'The file has changed since; these bytes are not there any more.', { cause });
}

async function placeOfHandle(handle: FileHandle, place: string): Promise<string> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`);
  const really = await realpath(place);
  const [opened, there] = await Promise.all([handle.stat({ bigint: true }), lstat(really, { bigint: true })]);
  if (identityOf(opened) !== identityOf(there)) throw gone();
  return really;
}

function explained(error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
      return new DriveError('not_readable', problemOf('not_readable').reason, { cause: error });
    // ELOOP: a link where a file was; ENXIO: a socket or a pipe.
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'ENXIO':
      return gone(error);
    default:
      return error;
  }
}
