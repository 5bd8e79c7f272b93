import { randomUUID } from 'node:crypto';
import type { Bus, Member } from '@soleil/bus';
import { DataSource } from 'typeorm';
import type { TestDatabase } from '../../../../test/support/database.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { LogReader } from '../log/log-reader.js';
import { DeliveryLedger } from './delivery-ledger.js';
import { devicesOf } from './delivery-statement.js';
import { LedgerStore } from './ledger-store.js';

const members: Member[] = Array.from({ length: 50 }, (_, n) => ({
  userId: `user-${n}`,
  name: `Member ${n}`,
  instrument: 'trumpet',
  role: 'member',
}));
/** Auth and Content, as far as they are asked. */
const bus = {
  request: async (name: string) => (name === 'auth.members_requested' ? { members } : { audiences: [] }),
} as unknown as Bus;
const hash = 'a'.repeat(64);
const messages = 6_000;

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: Plan[];
}

const all = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(all)];

/** 50 members with two devices each, among 20 such bands; each device a run for every second message of 30 days. */
async function seed(database: DataSource): Promise<void> {
  await database.query(`
    insert into sync_device
      (user_id, device_id, durable, connection, connected_at, connected, first_seen_at, last_seen_at)
    select 'user-' || u, 'device-' || d, true, gen_random_uuid(), now(), true, now() - interval '40 days', now()
    from generate_series(0, 999) u, generate_series(1, 2) d`);
  await database.query(`
    insert into sync_reader (device, channel)
    select id, c from sync_device, unnest(array['band:b1', 'band:b1:Bb', 'system']) c where user_id ~ '^user-[0-4]?[0-9]$'`);
  await database.query(`
    insert into sync_receipt (reader, up_to, acknowledged_at)
    select r.id, n * 2, now() - interval '30 days' + n * interval '14 minutes'
    from sync_reader r, generate_series(1, ${messages / 2}) n where channel = 'band:b1'`);
  await database.query(`
    insert into sync_message (channel, "offset", id, type, key, data, published_at)
    select 'band:b1', n, gen_random_uuid(), 'file_update', 'file:' || n % 300, jsonb_build_object('hash', '${hash}'), now()
    from generate_series(1, ${messages}) n`);
  await database.query(`
    insert into sync_holding (device, channel, key, hash, since)
    select id, 'band:b1', 'file:' || f, '${hash}', now() from sync_device, generate_series(0, 299) f where user_id ~ '^user-[0-4]?[0-9]$'`);
  await database.query('analyze');
}

describe('the ledger of a band of 50 with 30 days of history', () => {
  let testDatabase: TestDatabase;
  let database: DataSource;
  let ledger: DeliveryLedger;

  beforeAll(async () => {
    testDatabase = await syncDatabase();
    database = await new DataSource({ type: 'postgres', url: testDatabase.url, poolSize: 2 }).initialize();
    ledger = new DeliveryLedger(new LogReader(database), new LedgerStore(database), bus);
    await seed(database);
  }, 60_000);
  afterAll(async () => {
    await database.destroy();
    await testDatabase.drop();
  });

  const messageAt = async (offset: number): Promise<string> => {
    const [row] = await database.query<{ id: string }[]>(`select id from sync_message where "offset" = $1`, [offset]);
    return row!.id;
  };

  it.each([
    ['first', 1],
    ['middle', messages / 2],
    ['last', messages],
  ])('tells of the %s message in under 50 ms', async (_, offset) => {
    const id = await messageAt(offset);
    await ledger.delivery(id);
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const begun = performance.now();
      const { members: told } = await ledger.delivery(id);
      times.push(performance.now() - begun);
      const devices = told.flatMap((member) => member.devices);
      expect([devices.length, devices.every(({ knowsSince, hasSince }) => knowsSince && hasSince)]).toEqual([100, true]);
    }
    expect(Math.min(...times)).toBeLessThan(50);
  });

  it('reads a few pages for each device, by keys, and no table from end to end but the small ones', async () => {
    const [row] = await database.query<[{ 'QUERY PLAN': [{ Plan: Plan }] }]>(
      `explain (analyze, buffers, format json) ${devicesOf}`,
      [members.map(({ userId }) => userId), 'band:b1', messages / 2, 'file:1', hash],
    );
    const { Plan: plan } = row['QUERY PLAN'][0];
    const scanned = all(plan)
      .filter((node) => node['Node Type'] === 'Seq Scan')
      .map((node) => node['Relation Name']);
    expect(scanned).not.toContain('sync_receipt');
    expect(scanned).not.toContain('sync_holding');
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(100 * 20);
  });

  it('does not know a message that is not in the log', async () => {
    await expect(ledger.delivery(randomUUID())).rejects.toMatchObject({ code: 'message_unknown', status: 404 });
  });
});
