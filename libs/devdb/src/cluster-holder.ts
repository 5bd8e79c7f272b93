import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { DevDbError } from './dev-db-error.js';
import { GUARDIAN_TITLE } from './guardian-source.js';
import { isAlive } from './process-alive.js';

/** Told to PostgreSQL as its `cluster_name`, so that its command line says who started it. */
export const CLUSTER_NAME = 'soleil-devdb';

const POLL_MS = 20;
const PATIENCE_MS = 30_000;

/**
 * Waits until no PostgreSQL holds the cluster. What may be found there:
 *
 * ```
 * postmaster.pid          the process             its guardian          then
 * absent                                                                free
 * present                 dead                                          free
 * present                 something else by now                         free, the stale file is removed
 * present                 stopping                                      wait
 * present                 ours                    platform is alive     database_in_use
 * present                 ours                    platform is dead      wait, it is about to stop
 * present                 ours                    dead too              stop it, wait
 * present                 a PostgreSQL, not ours                        database_in_use
 * ```
 *
 * The exit of somebody else's child is no event that can be awaited, so its state is polled.
 *
 * @throws DevDbError `database_in_use`
 */
export async function awaitFreeCluster(cluster: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const held = await readPostmasterFile(cluster);
    if (held === undefined || !isAlive(held.pid)) return;
    const server = await inspect(held.pid);
    if (server !== undefined && !/postgres/.test(server.command)) {
      await rm(join(cluster, 'postmaster.pid'), { force: true });
      return;
    }
    if (held.status !== 'stopping') await judge(cluster, held.pid, server);
    if (Date.now() > deadline) throw inUse(cluster, `PostgreSQL (process ${held.pid}), which does not stop`, held.pid);
    await delay(POLL_MS);
  }
}

/** Returns where waiting will help, having stopped a server that nobody guards any more. */
async function judge(cluster: string, pid: number, server: ProcessInfo | undefined): Promise<void> {
  if (server === undefined) {
    // It may have ended since; where it has not, this system does not tell who it is.
    if (isAlive(pid)) throw inUse(cluster, `the process ${pid}`, pid);
    return;
  }
  if (!isOurServer(server.command, cluster)) {
    throw inUse(cluster, `a PostgreSQL that was started by other means (process ${pid})`, pid);
  }
  const guardian = await inspect(server.parentPid);
  const platformPid = guardian && platformOf(guardian.command);
  if (platformPid === undefined) {
    signalFast(cluster, pid);
  } else if (guardian?.parentPid === platformPid) {
    throw inUse(cluster, `the platform running as process ${platformPid} (PostgreSQL: process ${pid})`, platformPid);
  }
}

/** A process whose parent died gets another parent at once, so this stays true even when process ids are used again. */
function platformOf(command: string): number | undefined {
  return command.startsWith(GUARDIAN_TITLE) ? Number.parseInt(command.slice(GUARDIAN_TITLE.length), 10) : undefined;
}

function isOurServer(command: string, cluster: string): boolean {
  return command.includes(` -D ${cluster} `) && command.includes(`cluster_name=${CLUSTER_NAME}`);
}

function signalFast(cluster: string, pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPERM') {
      throw inUse(cluster, `a PostgreSQL of another user, left behind by a platform that is gone (process ${pid})`, pid);
    }
  }
}

function inUse(cluster: string, holder: string, pid: number): DevDbError {
  return new DevDbError(
    'database_in_use',
    `The database in ${cluster} is in use by ${holder}.`,
    `Stop process ${pid} first, or start with another data directory.`,
  );
}

/** The first line is the process id, the eighth the state; a file still being written counts as absent. */
async function readPostmasterFile(cluster: string): Promise<{ pid: number; status: string } | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  return Number.isInteger(pid) && pid > 0 ? { pid, status: lines[7]?.trim() ?? '' } : undefined;
}

interface ProcessInfo {
  parentPid: number;
  /** Program and arguments, joined by blanks. */
  command: string;
}

/** Undefined when the process is gone, or where the system has no means to tell. */
async function inspect(pid: number): Promise<ProcessInfo | undefined> {
  try {
    return process.platform === 'linux' ? await inspectProc(pid) : await inspectPs(pid);
  } catch {
    return undefined;
  }
}

async function inspectProc(pid: number): Promise<ProcessInfo> {
  const [stat, command] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
  ]);
  // "pid (name) state parent …", where the name may hold anything.
  const parentPid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  return { parentPid, command: command.replaceAll('\0', ' ') };
}

async function inspectPs(pid: number): Promise<ProcessInfo> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'ppid=,args=', '-p', String(pid)]);
  const [, parent, command] = /^\s*(\d+)\s+(.*)$/s.exec(stdout) ?? [];
  return { parentPid: Number(parent), command: `${command?.trimEnd()} ` };
}
