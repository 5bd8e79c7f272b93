import { DataSource } from 'typeorm';
import { Cable } from '../../../../test/support/cable.js';
import type { TestDatabase } from '../../../../test/support/database.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { costOf, type Cost } from '../../test/statement-cost.js';
import { LogReader, type Extent } from './log-reader.js';

const channel = 'band:b1';
const keys = 500;
const messages = 200_000;
const eventEvery = 10_000;

describe('reading by the latest of each key, of 200,000 messages about 500 keys', () => {
  let testDatabase: TestDatabase;
  let database: DataSource;
  let asked: [string, unknown[]][] = [];
  let log: LogReader;

  beforeAll(async () => {
    testDatabase = await syncDatabase();
    database = await new DataSource({ type: 'postgres', url: testDatabase.url }).initialize();
    // Every tenth key is gone in the end; one message in so many has no key.
    await database.query(
      `insert into sync_message (channel, "offset", id, type, key, data, published_at)
       select $1, n, gen_random_uuid(), 'note', case when n % $4 = 1 then null else 'song:' || n % $3 end,
              case when n > $2 - $3 and n % 10 = 0 then null else to_jsonb(n) end, now()
       from generate_series(1, $2) n`,
      [channel, messages, keys, eventEvery],
    );
    await database.query('analyze sync_message');
    const noting = {
      createQueryRunner: () => {
        const runner = database.createQueryRunner();
        const query = runner.query.bind(runner);
        return Object.assign(runner, {
          query: (sql: string, parameters: unknown[]) => (asked.push([sql, parameters]), query(sql, parameters)),
        });
      },
    };
    log = new LogReader(noting as unknown as DataSource);
  });
  afterAll(async () => {
    await database.destroy();
    await testDatabase.drop();
  });
  beforeEach(() => {
    asked = [];
  });

  const latest = async (extent: Extent, after: number, upTo = messages): Promise<number[]> =>
    (await log.latest({ channel, after, upTo, extent })).offsets;

  async function costOfAsked(): Promise<Cost> {
    const sum = { rows: 0, buffers: 0 };
    for (const [sql, parameters] of asked) {
      const { rows, buffers } = await costOf(database, sql, parameters);
      sum.rows += rows;
      sum.buffers += buffers;
    }
    return sum;
  }

  test('the state is found at the cost of its keys, and sent at the cost of what is sent', async () => {
    const offsets = await latest('state', 0);
    expect(offsets).toHaveLength(keys * 0.9);
    expect(offsets).toEqual([...offsets].sort((one, other) => one - other));
    for (let sent = 0; sent < offsets.length; sent += 100) await log.at(channel, offsets.slice(sent, sent + 100));
    const { rows, buffers } = await costOfAsked();
    expect(rows).toBeLessThan(3 * keys);
    expect(buffers).toBeLessThan(15 * keys);
  });

  test('so is the state as of an earlier head, whatever has come since', async () => {
    const offsets = await latest('state', 0, messages / 2);
    expect(offsets).toHaveLength(keys);
    expect(Math.max(...offsets)).toBe(messages / 2);
    expect((await costOfAsked()).rows).toBeLessThan(3 * keys);
  });

  test('changes since a position cost the keys and the events, not what was missed', async () => {
    const offsets = await latest('changes', 1);
    expect(offsets).toHaveLength(keys + messages / eventEvery - 1);
    const { rows, buffers } = await costOfAsked();
    expect(rows).toBeLessThan(3 * keys);
    expect(buffers).toBeLessThan(15 * keys);
  });

  test('changes tell what is gone and what has no key; the state tells neither', async () => {
    const after = messages - keys;
    const types = async (extent: Extent): Promise<Record<string, number>> => {
      const counts = { living: 0, gone: 0, events: 0 };
      for (const { key, data } of (await log.at(channel, await latest(extent, after - eventEvery))).messages)
        counts[key === undefined ? 'events' : data === null ? 'gone' : 'living'] += 1;
      return counts;
    };
    expect(await types('changes')).toEqual({ living: keys * 0.9, gone: keys * 0.1, events: 1 });
    expect(await types('state')).toEqual({ living: keys * 0.9, gone: 0, events: 0 });
  });

  test('a thousand channels are opened at once by a handful of statements, each with what is its own', async () => {
    await database.query(
      `insert into sync_channel (name, head, epoch) select 'user:' || n, n, 'e1' from generate_series(1, 1000) n`,
    );
    await database.query(
      `insert into sync_channel_epoch (channel, epoch, began_at) select 'user:' || n, 'e1', 1 from generate_series(1, 1000) n`,
    );
    await database.query(
      `insert into sync_message (channel, "offset", id, type, data, published_at)
       select 'user:7', n, gen_random_uuid(), 'sync.right_ended', '{"userId":"tina"}', now() from generate_series(2, 3) n`,
    );
    const opened = await Promise.all(Array.from({ length: 1_001 }, (_, n) => log.opening(`user:${n}`)));
    expect(opened.map(({ state }) => state.head)).toEqual(Array.from({ length: 1_001 }, (_, n) => n));
    expect(opened.map(({ rightsEnded }) => [...rightsEnded])).toEqual(
      Array.from({ length: 1_001 }, (_, n) => (n === 7 ? [['tina', 3]] : [])),
    );
    expect(asked.length).toBeLessThan(5);
  });
});

test('a connection that died without a word fails the reads that wait for it, and no later ones', async () => {
  const testDatabase = await syncDatabase();
  const cable = await Cable.plug(() => testDatabase.url);
  const url = new URL(testDatabase.url);
  url.port = new URL(cable.url).port;
  const database = await new DataSource({ type: 'postgres', url: url.href, poolSize: 1 }).initialize();
  const log = new LogReader(database, 300);
  expect((await log.heads([channel])).size).toBe(0);
  cable.lose();
  const reads = [log.heads([channel]), log.opening(channel), log.opening('system')];
  for (const read of reads) await expect(read).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
  expect((await log.heads([channel])).size).toBe(0);
  expect((await log.opening(channel)).state.head).toBe(0);
  await database.destroy();
  await cable.remove();
  await testDatabase.drop();
});
