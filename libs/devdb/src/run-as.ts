import { execFile } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import type { Binaries } from './binaries.js';
import { DevDbError } from './dev-db-error.js';

const run = promisify(execFile);

/** Under which account, and through which program, PostgreSQL's programs are started. */
export interface RunAs {
  /** A program and its arguments that start the one given after them; empty for none. */
  through: string[];
  /** Set by the system before the program starts; absent means the account of this process. */
  account?: Account;
  /** The owner that files made for PostgreSQL must have; absent means the account of this process. */
  owner?: Account;
}

/** What `spawn` and its kin are to be given. */
export interface CommandLine {
  command: string;
  args: string[];
  uid?: number;
  gid?: number;
}

interface Account {
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root must start it as somebody else: whoever owns the data directory, else
 * whoever owns the folder it lies in, else `postgres`, else `nobody`. Each is tried for real, in up to four ways, until one
 * can reach both the programs and the data:
 *
 * 1. as that account, plainly;
 * 2. as that account with the one capability to pass folders that are closed to it (a clone below a 0700 `/root`);
 * 3. the same with the wider capability that containers grant by default where they withhold the narrow one;
 * 4. in a user namespace, where root appears as that account; its files then remain root's.
 *
 * The account found first becomes the owner of a new data directory, and stays with it. A data directory with a cluster that
 * root owns was made in the fourth way and can go on in that way only.
 *
 * @throws DevDbError `cannot_run_as_root`
 */
export async function chooseRunAs(
  dataDir: string,
  hasCluster: boolean,
  binaries: Binaries,
  env: NodeJS.ProcessEnv,
): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { through: [] };
  const works = (way: RunAs) => canReach(way, dataDir, binaries, env);

  const owner = await stat(dataDir);
  const isRootOwned = owner.uid === 0;
  const accounts = isRootOwned ? await newOwners(dataDir) : [owner];
  if (!(isRootOwned && hasCluster)) {
    for (const account of accounts) {
      if (isRootOwned) await chown(dataDir, account.uid, account.gid);
      for (const way of waysAs(account)) if (await works(way)) return way;
    }
  }
  if (isRootOwned) {
    await chown(dataDir, 0, 0);
    for (const account of accounts) {
      const way = inNamespaceAs(account);
      if (await works(way)) return way;
    }
  }
  throw new DevDbError(
    'cannot_run_as_root',
    `PostgreSQL refuses to run as root, and no other account can reach both ${binaries.postgres} and ${dataDir}.`,
    'Start the platform as a normal user, or move it to a folder that the user "postgres" or "nobody" may enter.',
  );
}

/** `program` with `args`, started as `runAs` says. */
export function commandLine(runAs: RunAs, program: string, args: string[]): CommandLine {
  const [command = program, ...rest] = [...runAs.through, program, ...args];
  return { command, args: rest, uid: runAs.account?.uid, gid: runAs.account?.gid };
}

function waysAs(account: Account): RunAs[] {
  const withCapability = (capability: string): RunAs => ({
    through: [
      'setpriv',
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      '--clear-groups',
      // Else access(2), by which initdb looks for its programs, would not count the capability.
      '--securebits=+no_setuid_fixup',
      `--inh-caps=+${capability}`,
      `--ambient-caps=+${capability}`,
    ],
    owner: account,
  });
  return [{ through: [], account, owner: account }, withCapability('dac_read_search'), withCapability('dac_override')];
}

function inNamespaceAs(account: Account): RunAs {
  return { through: ['unshare', '--user', `--map-user=${account.uid}`, `--map-group=${account.gid}`] };
}

/** `initdb --show` looks its account and its programs up as a real run does, and writes nothing. */
async function canReach(runAs: RunAs, dataDir: string, binaries: Binaries, env: NodeJS.ProcessEnv): Promise<boolean> {
  const probe = 'cd "$1" && test -r . && test -w . && exec "$2" --show --pgdata="$1"';
  const { command, args, uid, gid } = commandLine(runAs, '/bin/sh', ['-c', probe, 'sh', dataDir, binaries.initdb]);
  return run(command, args, { uid, gid, env, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

async function newOwners(dataDir: string): Promise<Account[]> {
  const parent = await stat(dirname(dataDir));
  const names = [...(parent.uid === 0 ? [] : [String(parent.uid)]), 'postgres', 'nobody'];
  const accounts = await Promise.all(names.map(lookUp));
  return accounts.filter((account) => account !== undefined);
}

/** An account without an entry in the system's user database does not do: initdb looks its own name up. */
async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}
