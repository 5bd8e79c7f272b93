import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { DriveError } from '../drive-error.js';

/** A band's folder as it was found: where it really is, and which folder that is, so that another in its place is noticed. */
export class Root {
  private readonly resolving = new Map<string, Promise<string>>();

  private constructor(
    /** As it was asked for. */
    readonly asked: string,
    /** With every link resolved. */
    readonly real: string,
    /** Device and inode. */
    readonly identity: string,
  ) {}

  /** @throws DriveError `folder_missing` */
  static async find(asked: string): Promise<Root> {
    try {
      const real = await realpath(asked);
      const stats = await stat(real, { bigint: true });
      if (!stats.isDirectory()) throw missing('At the place of the folder there is something else.');
      return new Root(asked, real, identityOf(stats));
    } catch (error) {
      if (error instanceof DriveError) throw error;
      const code = (error as NodeJS.ErrnoException).code;
      throw missing(code === 'EACCES' ? 'The folder may not be read.' : 'The folder is not there.', error);
    }
  }

  /**
   * Nothing that is missed below the folder is believed to be deleted unless this holds: an unmounted share looks like a
   * folder from which everything was deleted.
   * @throws DriveError `folder_missing`
   */
  async ensureUnchanged(): Promise<void> {
    const now = await Root.find(this.asked);
    if (now.real !== this.real || now.identity !== this.identity) throw missing('Another folder is at its place now.');
  }

  /**
   * Where a path of the band's folder is on this machine.
   * @throws DriveError `path_invalid` for one that is absolute, holds NUL, or leads out of the folder
   */
  place(path: string): string {
    if (path === '') return this.real;
    const parts = path.split('/');
    const harmful =
      path.includes('\0') || isAbsolute(path) || parts.some((part) => part === '' || part === '.' || part === '..');
    if (harmful || (sep !== '/' && path.includes(sep)))
      throw new DriveError('path_invalid', 'This is not a path inside the folder.');
    return join(this.real, ...parts);
  }

  /** Whether no link leads to this folder. Asked about many files of it at once, it is looked at once. */
  async isReal(folder: string): Promise<boolean> {
    let resolved = this.resolving.get(folder);
    if (!resolved) {
      resolved = realpath(folder).finally(() => this.resolving.delete(folder));
      this.resolving.set(folder, resolved);
    }
    return (await resolved) === folder;
  }

  /** The path, inside the folder, of a real place; null where that lies outside. */
  pathOf(place: string): string | null {
    const path = relative(this.real, place);
    if (path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)) return null;
    return path.split(sep).join('/');
  }
}

export function missing(message: string, cause?: unknown): DriveError {
  return new DriveError('folder_missing', message, { cause });
}

export function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}
