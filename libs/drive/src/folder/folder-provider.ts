import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { DriveError } from '../drive-error.js';
import type { DriveOptions } from '../options.js';
import type { DriveProvider, DriveSource, SourceConnection } from '../provider.js';
import { FolderSource } from './folder-source.js';

const schema = z.strictObject({ root: z.string().refine((root) => isAbsolute(root) && !root.includes('\0')) });

/** Folders of this machine: a disk, a mounted share, what a drive's desktop client keeps in step. */
export class FolderProvider implements DriveProvider {
  readonly name = 'folder';

  constructor(private readonly options: DriveOptions) {}

  checkSettings(settings: unknown): { root: string } {
    const parsed = schema.safeParse(settings);
    if (!parsed.success) throw new DriveError('settings_invalid', 'The root of a folder must be an absolute path.');
    return { root: resolve(parsed.data.root) };
  }

  connect({ settings, changeLog }: SourceConnection): DriveSource {
    return new FolderSource(this.checkSettings(settings).root, changeLog, this.options);
  }
}
