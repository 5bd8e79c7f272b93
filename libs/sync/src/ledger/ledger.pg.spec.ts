import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Cable } from '../../../../test/support/cable.js';
import type { TestDatabase } from '../../../../test/support/database.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { DeviceRecord } from './device-record.js';
import { LedgerRecorder } from './ledger-recorder.js';
import { LedgerStore, type DeviceDelivery } from './ledger-store.js';

// What the tests provoke is not news.
Logger.overrideLogger(['error', 'fatal']);

const channel = 'band:b1';
const tablet = { userId: 'tina', deviceId: 'tablet-1', name: null, durable: true };
const hash = 'a'.repeat(64);

describe('the ledger', () => {
  let testDatabase: TestDatabase;
  let database: DataSource;
  let store: LedgerStore;
  /** Two nodes on one database. */
  let here: LedgerRecorder;
  let there: LedgerRecorder;

  beforeEach(async () => {
    testDatabase = await syncDatabase();
    database = await new DataSource({ type: 'postgres', url: testDatabase.url, poolSize: 5 }).initialize();
    store = new LedgerStore(database);
    [here, there] = [new LedgerRecorder(store, 1_000), new LedgerRecorder(store, 1_000)];
  });
  afterEach(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await database.destroy();
    await testDatabase.drop();
  });

  const device = async (
    offset: number,
    { userId = 'tina', file = null as { key: string; hash: string } | null } = {},
  ): Promise<DeviceDelivery | undefined> => (await store.devices({ userIds: [userId], channel, offset, file }))[0];
  const knows = async (offset: number): Promise<boolean> => (await device(offset))?.knowsSince != null;
  const known = async (from: number, to: number): Promise<number[]> => {
    const offsets = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const answers = await Promise.all(offsets.map(knows));
    return offsets.filter((_, index) => answers[index]);
  };
  const runs = async (): Promise<number[]> => {
    const rows = await database.query<{ upTo: number }[]>(
      `select up_to::float8 as "upTo" from sync_receipt order by reader, up_to`,
    );
    return rows.map(({ upTo }) => upTo);
  };
  /** A connection that has acknowledged some offsets, each stored before the next. */
  const acknowledging = async (...offsets: number[]): Promise<DeviceRecord> => {
    const record = here.connected(tablet);
    record.subscribed(channel, 0);
    for (const offset of offsets) {
      record.acknowledged(channel, offset);
      await here.flush();
    }
    return record;
  };

  it('tells since when a device knows each message, by one row for what it acknowledged within a flush', async () => {
    const before = Date.now();
    const record = await acknowledging(3);
    for (let offset = 4; offset <= 1_000; offset++) record.acknowledged(channel, offset);
    await here.flush();
    expect(await runs()).toEqual([3, 1_000]);
    const [early, late] = [await device(2), await device(900)];
    expect(Date.parse(early!.knowsSince!)).toBeGreaterThan(before - 1_000);
    expect(Date.parse(late!.knowsSince!)).toBeGreaterThan(Date.parse(early!.knowsSince!));
    expect(await known(1_000, 1_001)).toEqual([1_000]);
  });

  it('writes nothing while nothing moves', async () => {
    const record = await acknowledging(3);
    const [{ xmin }] = await database.query<[{ xmin: string }]>('select xmin from sync_device');
    record.acknowledged(channel, 3);
    await here.flush();
    await here.flush();
    expect(await runs()).toEqual([3]);
    expect(await database.query('select xmin from sync_device')).toEqual([{ xmin }]);
  });

  it('takes a position at subscribe for an acknowledgement: what a crash lost is repaired', async () => {
    await acknowledging(3);
    const again = there.connected(tablet);
    again.subscribed(channel, 7);
    await there.flush();
    expect(await runs()).toEqual([3, 7]);
  });

  it.each([
    [5, [3, 5], [3, 4, 5]],
    [3, [3], [3]],
    [1, [1], []],
    [0, [], []],
  ])('lets a device that comes back at offset %d keep no receipt beyond it', async (offset, left, stillKnown) => {
    await acknowledging(3, 8);
    const again = here.connected(tablet);
    again.subscribed(channel, offset);
    await here.flush();
    expect(await runs()).toEqual(left);
    expect(await known(3, 9)).toEqual(stillKnown);
    again.acknowledged(channel, 9);
    await here.flush();
    expect(await known(3, 9)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it('forgets what a device lost and got again between two flushes, and dates it anew', async () => {
    await acknowledging(8);
    const before = (await device(8))!.knowsSince!;
    const again = here.connected(tablet);
    again.subscribed(channel, 2);
    again.acknowledged(channel, 8);
    await here.flush();
    expect(await runs()).toEqual([2, 8]);
    expect(Date.parse((await device(8))!.knowsSince!)).toBeGreaterThan(Date.parse(before));
    expect((await device(2))!.knowsSince).toBe(before);
  });

  it('hears the latest connection only, however late another node writes', async () => {
    await acknowledging(3);
    const former = here.connected(tablet);
    former.subscribed(channel, 3);
    await here.flush();
    former.acknowledged(channel, 9);
    // Before that is stored, the device comes to the other node, having lost a part of its store.
    const later = there.connected(tablet);
    later.subscribed(channel, 2);
    await there.flush();
    former.left();
    await here.flush();
    expect(await runs()).toEqual([2]);
    expect((await device(1))!.isConnected).toBe(true);
    later.left();
    await there.flush();
    expect((await device(1))!.isConnected).toBe(false);
  });

  it('hears a connection again when one has left that its device had given up, and that was let in later', async () => {
    const used = await acknowledging(3);
    const givenUp = there.connected(tablet);
    await there.flush();
    givenUp.left();
    await there.flush();
    expect((await device(1))!.isConnected).toBe(false);
    used.acknowledged(channel, 5);
    await here.flush();
    expect((await device(1))!.isConnected).toBe(true);
    expect(await runs()).toEqual([3, 5]);
  });

  it('loses nothing when the database does not answer for a while', async () => {
    const record = await acknowledging(3);
    record.acknowledged(channel, 5);
    await database.query('alter table sync_receipt rename to sync_receipt_gone');
    await here.flush();
    record.acknowledged(channel, 6);
    await database.query('alter table sync_receipt_gone rename to sync_receipt');
    await here.flush();
    expect(await runs()).toEqual([3, 6]);
  });

  it('gives up a database that fell silent in the middle of a write, and stores everything once it answers again', async () => {
    const cable = await Cable.plug(() => testDatabase.url);
    const url = new URL(testDatabase.url);
    url.port = new URL(cable.url).port;
    const far = await new DataSource({ type: 'postgres', url: url.href, poolSize: 5 }).initialize();
    const recorder = new LedgerRecorder(new LedgerStore(far, 500), 1_000);
    const record = recorder.connected(tablet);
    record.subscribed(channel, 2);
    await recorder.flush();
    cable.swallow('answers');
    record.acknowledged(channel, 5);
    await recorder.flush();
    expect(await runs()).toEqual([2]);
    cable.plugIn();
    record.acknowledged(channel, 6);
    await recorder.flush();
    expect(await runs()).toEqual([2, 6]);
    await recorder.stop();
    await far.destroy();
    await cable.remove();
  });

  it('gives up a connection that died without a word while it prunes', async () => {
    const cable = await Cable.plug(() => testDatabase.url);
    const url = new URL(testDatabase.url);
    url.port = new URL(cable.url).port;
    const far = await new DataSource({ type: 'postgres', url: url.href, poolSize: 1 }).initialize();
    const storeThere = new LedgerStore(far, 50);
    await storeThere.prune();
    cable.lose();
    await expect(storeThere.prune()).rejects.toMatchObject({ code: 'database_unavailable' });
    await storeThere.prune();
    await far.destroy();
    await cable.remove();
  });

  it.each([
    ['does not know', (table: string) => `delete from ${table}`],
    [
      'knows from an earlier connection',
      (table: string) =>
        table === 'sync_device'
          ? `update sync_device set connection = gen_random_uuid(), connected_at = now() - interval '1 day'`
          : `delete from ${table}`,
    ],
  ])('notes a connected device again that a database set back to a backup %s', async (_, setBack) => {
    const record = await acknowledging(3);
    for (const table of ['sync_device', 'sync_reader', 'sync_receipt']) await database.query(setBack(table));
    record.acknowledged(channel, 5);
    await here.flush();
    expect(await runs()).toEqual([5]);
    expect(await device(5)).toMatchObject({ isConnected: true });
  });

  it('hears a device that comes back after the clock of the database was set back', async () => {
    await acknowledging(3);
    await database.query(
      `update sync_device set connected_at = now() + interval '1 hour', last_seen_at = now() + interval '1 hour'`,
    );
    const again = here.connected(tablet);
    again.subscribed(channel, 3);
    again.acknowledged(channel, 5);
    await here.flush();
    expect(await runs()).toEqual([3, 5]);
  });

  it('lets two nodes that write about the same devices at once wait for each other, never both ways', async () => {
    // Devices are looked up one by one, in the order in which they are given: that order must not become the order of locks.
    for (const plan of ['hashjoin', 'mergejoin'])
      await database.query(`alter database ${database.driver.database!} set enable_${plan} = off`);
    const looking = await new DataSource({ type: 'postgres', url: testDatabase.url }).initialize();
    const clock = (): number => performance.now();
    const identities = Array.from({ length: 300 }, (_, n) => ({ ...tablet, deviceId: `tablet-${n}` }));
    const [former, latter] = [identities, [...identities].reverse()].map((order) =>
      order.map((identity) => new DeviceRecord(identity, clock)),
    );
    for (let round = 1; round <= 10; round++) {
      for (const record of [...former!, ...latter!]) record.subscribed(channel, round);
      const writes = [former!, latter!].map((records) =>
        new LedgerStore(looking).write(
          records.map((record) => record.take(0)!),
          clock,
        ),
      );
      await Promise.all(writes);
    }
    const devices = await store.devices({ userIds: ['tina'], channel, offset: 10, file: null });
    expect(devices.filter(({ knowsSince }) => knowsSince !== null)).toHaveLength(300);
    await looking.destroy();
  });

  it('asks the database as often for a thousand devices that come back at once as for one', async () => {
    const statements: string[] = [];
    const watched = await new DataSource({
      type: 'postgres',
      url: testDatabase.url,
      logging: ['query'],
      logger: { logQuery: (sql: string) => statements.push(sql) } as never,
    }).initialize();
    const recorder = new LedgerRecorder(new LedgerStore(watched), 1_000);
    const comeBack = async (devices: number): Promise<number> => {
      for (let n = 0; n < devices; n++) {
        const record = recorder.connected({ ...tablet, deviceId: `tablet-${n}` });
        for (const followed of ['system', 'band:b1', 'band:b1:Bb']) record.subscribed(followed, 7);
      }
      statements.length = 0;
      await recorder.flush();
      return statements.length;
    };
    // The first write of a process asks for the database's clock some times more.
    await comeBack(1);
    const forOne = await comeBack(1);
    expect(forOne).toBeGreaterThan(0);
    expect(await comeBack(1_000)).toBe(forOne);
    await recorder.stop();
    await watched.destroy();
  });

  it('knows who has a file, since when, by its hash; a report that comes again changes nothing', async () => {
    await database.query(
      `insert into sync_message (channel, "offset", id, type, key, published_at) values ($1, 1, $2, 'file_update', 'file:1', now())`,
      [channel, randomUUID()],
    );
    const record = await acknowledging(1);
    const file = { key: 'file:1', hash };
    const stored = record.holds(channel, [file, { key: 'file:never-told-of', hash }]);
    await here.flush();
    await stored;
    const since = (await device(1, { file }))!.hasSince;
    expect(since).not.toBeNull();
    const again = record.holds(channel, [file]);
    await here.flush();
    await again;
    expect((await device(1, { file }))!.hasSince).toBe(since);
    expect((await device(1, { file: { ...file, hash: 'b'.repeat(64) } }))!.hasSince).toBeNull();
    expect(await database.query('select key from sync_holding')).toEqual([{ key: 'file:1' }]);
    const gone = record.holds(channel, [{ key: 'file:1', hash: null }]);
    await here.flush();
    await gone;
    expect((await device(1, { file }))!.hasSince).toBeNull();
  });

  it('keeps a file that moved to another channel, in whatever order its device says so', async () => {
    for (const name of [channel, `${channel}:Bb`])
      await database.query(
        `insert into sync_message (channel, "offset", id, type, key, published_at) values ($1, 1, $2, 'file_update', 'file:1', now())`,
        [name, randomUUID()],
      );
    const record = await acknowledging(1);
    record.acknowledged(`${channel}:Bb`, 1);
    const report = async (of: string, hash: string | null): Promise<void> => {
      const stored = record.holds(of, [{ key: 'file:1', hash }]);
      await here.flush();
      await stored;
    };
    const hasIn = async (of: string): Promise<boolean> => {
      const file = { key: 'file:1', hash };
      return (await store.devices({ userIds: ['tina'], channel: of, offset: 1, file }))[0]!.hasSince !== null;
    };
    await report(channel, hash);
    await report(`${channel}:Bb`, hash);
    await report(channel, null);
    expect([await hasIn(channel), await hasIn(`${channel}:Bb`)]).toEqual([false, true]);
  });

  it('tells whoever reported a file when that could not be stored', async () => {
    const record = await acknowledging(1);
    const stored = record.holds(channel, [{ key: 'file:1', hash }]);
    await database.query('alter table sync_holding rename to sync_holding_gone');
    await Promise.all([expect(stored).rejects.toThrow('sync_holding'), here.flush()]);
    await database.query('alter table sync_holding_gone rename to sync_holding');
  });

  it('does not take devices of a node that died for connected', async () => {
    await acknowledging(1);
    expect((await device(1))!.isConnected).toBe(true);
    await database.query(`update sync_device set last_seen_at = now() - interval '2 minutes'`);
    expect((await device(1))!.isConnected).toBe(false);
  });

  it.each([
    ['a device', true, '31 days', '29 days'],
    ['a device whose store died with its page', false, '2 hours', '30 minutes'],
  ])('lets %s leave the roster when it was unseen for long, with all it had', async (_, durable, unseen, seen) => {
    const record = here.connected({ ...tablet, durable });
    record.subscribed(channel, 1);
    record.left();
    await here.flush();
    await database.query(`update sync_device set last_seen_at = now() - $1::interval`, [seen]);
    await store.prune();
    expect(await device(1)).toMatchObject({ knowsSince: expect.any(String) });
    await database.query(`update sync_device set last_seen_at = now() - $1::interval`, [unseen]);
    expect(await device(1)).toBeUndefined();
    await store.prune();
    for (const table of ['sync_device', 'sync_reader', 'sync_receipt'])
      expect(await database.query(`select from ${table}`)).toEqual([]);
  });

  it('takes a device from the roster that signs out, and takes it for a new one when it comes back', async () => {
    const record = await acknowledging(3);
    record.acknowledged(channel, 4);
    record.signedOut();
    record.left();
    await here.flush();
    for (const table of ['sync_device', 'sync_reader', 'sync_receipt'])
      expect(await database.query(`select from ${table}`)).toEqual([]);
    there.connected(tablet).subscribed(channel, 4);
    await there.flush();
    expect(await runs()).toEqual([4]);
  });

  it('dates a receipt by when it was acknowledged, however long the database was away', async () => {
    let time = 0;
    const record = new DeviceRecord(tablet, () => time);
    record.subscribed(channel, 0);
    record.acknowledged(channel, 3);
    time = 60_000;
    await store.write([record.take(0)!], () => time);
    const [{ ageMs }] = await database.query<[{ ageMs: number }]>(
      `select extract(epoch from clock_timestamp() - acknowledged_at)::float8 * 1000 as "ageMs" from sync_receipt`,
    );
    expect(Math.abs(ageMs - 60_000)).toBeLessThan(5_000);
  });

  it('keeps the hundred devices of a user that were seen last', async () => {
    for (let n = 0; n < 130; n++) here.connected({ ...tablet, deviceId: `tablet-${n}` });
    here.connected({ ...tablet, userId: 'alma' });
    await here.flush();
    await database.query(
      `update sync_device set last_seen_at = now() - interval '1 day' where device_id ~ '^tablet-([0-9]|[12][0-9])$' and user_id = 'tina'`,
    );
    await store.prune();
    const devices = await store.devices({ userIds: ['tina', 'alma'], channel, offset: 1, file: null });
    const idsOf = (user: string): string[] =>
      devices.filter(({ userId }) => userId === user).map(({ deviceId }) => deviceId);
    expect(idsOf('alma')).toEqual([tablet.deviceId]);
    expect(new Set(idsOf('tina'))).toEqual(new Set(Array.from({ length: 100 }, (_, n) => `tablet-${n + 30}`)));
  });

  it('makes one run of those older than 30 days, and still knows what was known', async () => {
    await acknowledging(2, 4, 6, 8);
    await database.query(`update sync_receipt set acknowledged_at = now() - interval '31 days' where up_to < 7`);
    await store.prune();
    expect(await runs()).toEqual([6, 8]);
    expect(await known(1, 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await database.query(`update sync_receipt set acknowledged_at = now() - interval '31 days'`);
    await store.prune();
    expect(await runs()).toEqual([8]);
  });
});
