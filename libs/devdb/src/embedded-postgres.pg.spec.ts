import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { startPostgres, type EmbeddedPostgres, type StartPostgresOptions } from './embedded-postgres.js';

/** A blank in the name, and closed to all others: as deep and as unfriendly as a home folder. */
let home: string;
const running: EmbeddedPostgres[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'home of soleil-'));
});
afterEach(async () => {
  for (const postgres of running.splice(0)) await postgres.kill();
});
afterAll(() => rm(home, { recursive: true, force: true }));

const untouched = (name: string) => join(home, 'deep er', name);

/** In one data directory for all, unless a test is about a first start. */
async function start(options: Partial<StartPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startPostgres({ dataDir: untouched('data'), settings: { fsync: 'off' }, ...options });
  running.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

it('has a database soleil of role soleil, in UTF-8, collation C and UTC', async () => {
  const postgres = await start();
  const [row] = await query(
    postgres.url(),
    `select current_database() as database, current_user as role, current_setting('server_encoding') as encoding,
            current_setting('timezone') as zone, datcollate as collation
       from pg_database where datname = current_database()`,
  );
  expect(row).toEqual({ database: 'soleil', role: 'soleil', encoding: 'UTF8', zone: 'UTC', collation: 'C' });
});

it('lets nobody in without the password, which only the owner can read', async () => {
  const postgres = await start();
  const url = new URL(postgres.url());
  url.password = 'guessed';
  await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  const file = await stat(join(postgres.dataDir, 'cluster', 'soleil_password'));
  expect(file.mode & 0o077).toBe(0);
});

it('is durable by default and takes settings', async () => {
  const postgres = await start({ settings: { max_connections: 17 } });
  const [row] = await query(
    postgres.url(),
    `select current_setting('fsync') as fsync, current_setting('max_connections') as connections`,
  );
  expect(row).toEqual({ fsync: 'on', connections: '17' });
});

it('finds its data again after a stop', async () => {
  const first = await start();
  await query(first.url(), `create table song as select 'Shenandoah' as title`);
  await first.stop();
  expect(first.pid).toBeUndefined();
  const second = await start();
  expect(await query(second.url(), 'select title from song')).toEqual([{ title: 'Shenandoah' }]);
});

it('recovers on the same port what was committed before a crash', async () => {
  const postgres = await start({ settings: {} });
  const { port } = postgres;
  await query(postgres.url(), `create table reel as select 'Shenandoah' as title`);
  await postgres.kill();
  await expect(query(postgres.url(), 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await postgres.restart();
  expect(postgres.port).toBe(port);
  expect(await query(postgres.url(), 'select title from reel')).toEqual([{ title: 'Shenandoah' }]);
});

it('says so when the port was taken before a restart', async () => {
  const postgres = await start();
  await postgres.stop();
  const thief = createServer();
  await new Promise<void>((resolve) => thief.listen(postgres.port, '127.0.0.1', resolve));
  try {
    await expect(postgres.restart()).rejects.toMatchObject({ code: 'port_in_use' });
  } finally {
    await new Promise((resolve) => thief.close(resolve));
  }
});

it('clones a database and drops it although it is in use', async () => {
  const postgres = await start();
  await postgres.createDatabase('with "quotes"');
  await query(postgres.url('with "quotes"'), `create table song as select 'Shenandoah' as title`);
  await postgres.createDatabase('clone', 'with "quotes"');
  expect(await query(postgres.url('clone'), 'select title from song')).toEqual([{ title: 'Shenandoah' }]);

  const client = new pg.Client({ connectionString: postgres.url('clone') });
  const lost = new Promise<Error>((resolve) => client.on('error', resolve));
  await client.connect();
  await postgres.dropDatabase('clone');
  await lost;
  await expect(query(postgres.url('clone'), 'select 1')).rejects.toMatchObject({ code: '3D000' });
});

it('tells when PostgreSQL ends by itself, and not when it was asked to', async () => {
  const ends: unknown[] = [];
  let tell = (): void => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const postgres = await start({
    onExit: (end) => {
      ends.push(end);
      tell();
    },
  });
  await postgres.kill();
  await postgres.restart();
  expect(ends).toEqual([]);
  process.kill(postgres.pid as number, 'SIGINT');
  await told;
  expect(ends).toEqual([
    { code: 0, signal: null, lastLines: expect.arrayContaining([expect.stringContaining('fast shutdown')]) },
  ]);
  expect(postgres.pid).toBeUndefined();
});

it('hands on what PostgreSQL logs', async () => {
  const lines: string[] = [];
  const postgres = await start({ log: (line) => lines.push(line) });
  await postgres.stop();
  expect(lines).toContainEqual(expect.stringContaining('ready to accept connections'));
  expect(lines).toContainEqual(expect.stringContaining('database system is shut down'));
});

it('gives the last words of a PostgreSQL that does not start', async () => {
  await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringContaining('shared_buffers'),
  });
});

it('leaves a folder alone that holds something else', async () => {
  const dataDir = untouched('documents');
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, 'thesis.txt'), 'years of work');
  await expect(start({ dataDir })).rejects.toMatchObject({ code: 'data_dir_not_empty' });
  expect(await readdir(dataDir)).toEqual(['thesis.txt']);
});

it('clears away what a start that died while making the cluster left, and refuses what another major version wrote', async () => {
  const dataDir = untouched('abandoned');
  await mkdir(join(dataDir, 'init-4194304-dead'), { recursive: true });
  const postgres = await start({ dataDir });
  expect(await readdir(dataDir)).toEqual(['cluster']);

  await postgres.stop();
  await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '15\n');
  await expect(start({ dataDir })).rejects.toMatchObject({
    code: 'data_dir_version',
    message: expect.stringContaining('15'),
  });
});

it('lets one of two first starts win and tells the other that the database is in use', async () => {
  const dataDir = untouched('contested');
  const both = await Promise.allSettled([start({ dataDir }), start({ dataDir })]);
  const lost = both.filter((outcome) => outcome.status === 'rejected');
  expect(lost).toEqual([{ status: 'rejected', reason: expect.objectContaining({ code: 'database_in_use' }) }]);
  expect(await readdir(dataDir)).toEqual(['cluster']);
});
