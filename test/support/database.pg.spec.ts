import { randomUUID } from 'node:crypto';

import pg from 'pg';

import { freshDatabase, migratedDatabase, type TestDatabase } from './database.js';

const databases: TestDatabase[] = [];
afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

async function keep(made: Promise<TestDatabase>): Promise<TestDatabase> {
  const database = await made;
  databases.push(database);
  return database;
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

it('gives every spec a database in which nobody else writes', async () => {
  const [one, other] = await Promise.all([keep(freshDatabase()), keep(freshDatabase())]);
  await query(one.url, 'create table note (text text)');
  const tables = await query(other.url, `select from information_schema.tables where table_name = 'note'`);
  expect(tables).toEqual([]);
});

it('drops a database although a session still uses it', async () => {
  const { url, drop } = await freshDatabase();
  const client = new pg.Client({ connectionString: url });
  const lost = new Promise<Error>((resolve) => client.on('error', resolve));
  await client.connect();
  await drop();
  expect((await lost).message).toMatch(/terminat/i);
  await expect(query(url, 'select 1')).rejects.toMatchObject({ code: '3D000' });
});

it('migrates once and clones for each of those who ask at the same time', async () => {
  const name = randomUUID();
  let migrations = 0;
  const migrate = async (url: string): Promise<void> => {
    migrations += 1;
    await query(url, `create table song (title text); insert into song values ('Shenandoah')`);
  };
  const made = await Promise.all([1, 2, 3].map(() => keep(migratedDatabase(name, migrate))));
  expect(migrations).toBe(1);
  for (const { url } of made) expect(await query(url, 'select title from song')).toEqual([{ title: 'Shenandoah' }]);
});

it('tries a failed migration again, from an empty database', async () => {
  const name = randomUUID();
  const failing = migratedDatabase(name, async (url) => {
    await query(url, 'create table half (done int)');
    throw new Error('no such column');
  });
  await expect(failing).rejects.toThrow('no such column');
  const { url } = await keep(migratedDatabase(name, async (url) => void (await query(url, 'create table half (done int)'))));
  expect(await query(url, 'select * from half')).toEqual([]);
});
