import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Binaries } from './binaries.js';
import { DevDbError } from './dev-db-error.js';
import { isAlive } from './process-alive.js';
import { commandLine, type RunAs } from './run-as.js';

/** The one role of the embedded database, a superuser, and the name of its main database. */
export const ROLE = 'soleil';

/**
 * What an embedded database keeps in its data directory:
 *
 * ```
 * cluster/                  PostgreSQL's own files
 * cluster/soleil_password   the password of the role `soleil`
 * lib/                      links to libraries, only where the package's own folder cannot be written
 * init-<pid>-…/             a cluster in the making
 * ```
 *
 * PostgreSQL asks for a password although it listens on 127.0.0.1 only: other users of the machine reach that address
 * too, and this role may do anything, running programs included.
 */
export interface DataDir {
  path: string;
  cluster: string;
  lib: string;
  hasCluster: boolean;
}

const PASSWORD_FILE = 'soleil_password';
const STAGING = /^init-(\d+)-/;

/**
 * Makes the data directory where there is none, and refuses what is not one.
 * @throws DevDbError `data_dir_not_owned`, `data_dir_not_empty`
 */
export async function openDataDir(wanted: string): Promise<DataDir> {
  try {
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    const path = await realpath(wanted);
    await demandOwnership(path);
    const entries = await readdir(path);
    const hasCluster = entries.includes('cluster');
    if (entries.length > 0 && !entries.every(isOurs)) {
      throw new DevDbError(
        'data_dir_not_empty',
        `${path} holds files that are not an embedded database's.`,
        'Name an empty folder, or one that does not exist yet, as the data directory.',
      );
    }
    return { path, cluster: join(path, 'cluster'), lib: join(path, 'lib'), hasCluster };
  } catch (error) {
    if (['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw notOwned(wanted, error);
    throw error;
  }
}

function isOurs(entry: string): boolean {
  return entry === 'cluster' || entry === 'lib' || STAGING.test(entry);
}

/** PostgreSQL demands that whoever runs it owns its files. Root can become any owner, see `chooseRunAs`. */
async function demandOwnership(path: string): Promise<void> {
  const self = process.getuid?.();
  if (self === undefined || self === 0) return;
  if ((await stat(path)).uid !== self) throw notOwned(path);
  const cluster = await stat(join(path, 'cluster')).catch(() => undefined);
  if (cluster !== undefined && cluster.uid !== self) throw notOwned(path);
}

function notOwned(path: string, cause?: unknown): DevDbError {
  return new DevDbError(
    'data_dir_not_owned',
    `The data directory ${path} belongs to another user, perhaps since it was made when the platform was started as root.`,
    `Run: sudo chown -R "$(id -u):$(id -g)" '${path}'    (or start as that user again, or name another data directory)`,
    { cause },
  );
}

/**
 * Makes the cluster, all or nothing: in a folder of its own that is renamed when it is complete. Of two that do so at
 * once, one wins and the other takes what the winner made.
 * @throws DevDbError `init_failed`
 */
export async function createCluster(
  dataDir: DataDir,
  binaries: Binaries,
  runAs: RunAs,
  env: NodeJS.ProcessEnv,
  durably: boolean,
): Promise<void> {
  await removeAbandoned(dataDir.path);
  const staging = await mkdtemp(join(dataDir.path, `init-${process.pid}-`));
  const password = join(staging, PASSWORD_FILE);
  const cluster = join(staging, 'cluster');
  try {
    await writeFile(password, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (runAs.owner) for (const path of [staging, password]) await chown(path, runAs.owner.uid, runAs.owner.gid);
    await initdb(cluster, password, binaries, runAs, env, durably);
    await rename(password, join(cluster, PASSWORD_FILE));
    await rename(cluster, dataDir.cluster).catch((error: NodeJS.ErrnoException) => {
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code ?? '')) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function initdb(
  cluster: string,
  passwordFile: string,
  binaries: Binaries,
  runAs: RunAs,
  env: NodeJS.ProcessEnv,
  durably: boolean,
): Promise<void> {
  const { command, args, uid, gid } = commandLine(runAs, binaries.initdb, [
    `--pgdata=${cluster}`,
    `--username=${ROLE}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(durably ? [] : ['--no-sync']),
  ]);
  try {
    await promisify(execFile)(command, args, { uid, gid, env, windowsHide: true });
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    throw new DevDbError(
      'init_failed',
      `PostgreSQL could not create its files in ${cluster}: ${stderr?.trim() || message}`,
      'See the message of initdb above; a full disk and a user without an entry in /etc/passwd are the usual causes.',
      { cause },
    );
  }
}

async function removeAbandoned(path: string): Promise<void> {
  for (const entry of await readdir(path)) {
    const maker = STAGING.exec(entry)?.[1];
    if (maker === undefined || isAlive(Number(maker))) continue;
    await rm(join(path, entry), { recursive: true, force: true });
  }
}

/** @throws DevDbError `data_dir_version` when another major version made the cluster */
export async function readPassword(dataDir: DataDir, binaries: Binaries): Promise<string> {
  const version = (await readFile(join(dataDir.cluster, 'PG_VERSION'), 'utf8')).trim();
  if (version !== binaries.major) {
    throw new DevDbError(
      'data_dir_version',
      `${dataDir.path} was made by PostgreSQL ${version}, the installed one is ${binaries.major}.`,
      'Dump it with the older version and load the dump into a new data directory, or remove it to start empty.',
    );
  }
  return (await readFile(join(dataDir.cluster, PASSWORD_FILE), 'utf8')).trim();
}
