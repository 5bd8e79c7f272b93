import { createHash, randomBytes } from 'node:crypto';

import pg from 'pg';

import { POSTGRES_URL } from './postgres-url.js';

/** A database of one spec's own. */
export interface TestDatabase {
  url: string;
  /** Removes it, ending the sessions that still use it. Databases that are not dropped go with the test run. */
  drop(): Promise<void>;
}

/**
 * An empty database of a unique name, or a copy of the named database.
 *
 * ```ts
 * let database: TestDatabase;
 * beforeEach(async () => { database = await freshDatabase(); });
 * afterEach(() => database.drop());
 * ```
 */
export async function freshDatabase(template = 'template0'): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withMaintenance((client) => client.query(createStatement(name, template)));
  return {
    url: urlOf(name),
    drop: () => withMaintenance((client) => dropDatabase(client, name)),
  };
}

/**
 * A copy of a database that `migrate` has prepared. It is prepared once in a test run for each `name`, whichever workers
 * ask first, so `name` must stand for what `migrate` does; `migrate` must have closed its connections when it resolves.
 *
 * ```ts
 * const database = await migratedDatabase('sync', (url) => runSyncMigrations(url));
 * ```
 *
 * @throws what `migrate` throws; the next call then tries again
 */
export async function migratedDatabase(name: string, migrate: (url: string) => Promise<void>): Promise<TestDatabase> {
  const template = `template_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  await alone(template, async (client) => {
    if (await exists(client, template)) return;
    const unfinished = `${template}_unfinished`;
    await dropDatabase(client, unfinished);
    await client.query(createStatement(unfinished, 'template0'));
    await migrate(urlOf(unfinished));
    await client.query(`alter database ${pg.escapeIdentifier(unfinished)} rename to ${pg.escapeIdentifier(template)}`);
  });
  return freshDatabase(template);
}

/** Does the work while no worker of the test run does any of this name. */
export async function alone<T>(name: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  return withMaintenance(async (client) => {
    // Session locks: the connection's end releases them, however the worker ends.
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]);
    return work(client);
  });
}

function createStatement(name: string, template: string): string {
  return `create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)}`;
}

async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
}

async function exists(client: pg.Client, name: string): Promise<boolean> {
  const found = await client.query('select from pg_database where datname = $1', [name]);
  return found.rowCount === 1;
}

async function withMaintenance<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: maintenanceUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(maintenanceUrl());
  url.pathname = `/${database}`;
  return url.href;
}

function maintenanceUrl(): string {
  const url = process.env[POSTGRES_URL];
  if (url === undefined) {
    throw new Error('This run has no PostgreSQL: TEST_KINDS names no kind of test that needs one.');
  }
  return url;
}
