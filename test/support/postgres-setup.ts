import './resolve-sources.cjs';

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DevDbError, startPostgres, type EmbeddedPostgres } from '@soleil/devdb';

import { POSTGRES_URL } from './postgres-url.js';

declare global {
  /** Handed from set-up to tear-down, which Jest runs in one process. */
  var postgresOfTestRun: { postgres: EmbeddedPostgres; dataDir: string } | undefined;
}

/** For a database that is thrown away: nothing in it must survive a power cut, and much of it happens at once. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum_naptime: '1min',
  max_connections: 300,
};

/** Folders are named after the test run that owns them, so that a later one can remove what an interrupted one left. */
const FOLDER = /^soleil-test-(\d+)-/;

/** Starts the one PostgreSQL of a test run, in a fresh folder; `database.ts` gives out databases on it. */
export default async function setUpPostgres(): Promise<void> {
  await removeAbandoned();
  const dataDir = await mkdtemp(join(tmpdir(), `soleil-test-${process.pid}-`));
  try {
    const postgres = await startPostgres({ dataDir, settings: SETTINGS, onExit: reportLoss });
    globalThis.postgresOfTestRun = { postgres, dataDir };
    process.env[POSTGRES_URL] = postgres.url('postgres');
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw explained(error);
  }
}

async function removeAbandoned(): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    const owner = FOLDER.exec(entry)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    // What cannot be removed is another user's, and theirs to remove.
    await rm(join(tmpdir(), entry), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function explained(error: unknown): Error {
  const because = error instanceof DevDbError ? `${error.message} (${error.code})\n${error.remedy}` : String(error);
  return new Error(`The tests' PostgreSQL could not be started, so no test was run.\n${because}`, { cause: error });
}

function reportLoss(end: { code: number | null; signal: string | null; lastLines: string[] }): void {
  const how = end.signal ?? `code ${end.code}`;
  process.stderr.write(`The tests' PostgreSQL ended in the middle of the run (${how}):\n${end.lastLines.join('\n')}\n`);
}
