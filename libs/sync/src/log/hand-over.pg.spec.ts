import { join } from 'node:path';
import { Cable } from '../../../../test/support/cable.js';
import { Program } from '../../../../test/support/program.js';
import { LogRig, type LogNode } from '../../test/log-rig.js';

let rig: LogRig;
/** The successor, in this process, with a connection of its own to Postgres. */
let node: LogNode;
/** In office at first: another process, behind a cable. */
let other: Program;
let cable: Cable;

beforeEach(async () => {
  rig = await LogRig.make();
  node = await rig.node({ node: 'successor' });
  cable = await Cable.plug(() => rig.testDatabase.url);
  const args = ['test/support/run-sources.cjs', 'libs/sync/test/log-process.ts', rig.through(cable), 'other'];
  other = new Program(join(import.meta.dirname, '../../../..'), args);
  await until(`exists (select from sync_leader where node = 'other')`);
  await publish(0);
  await until(`exists (select from sync_message)`);
  node.sequencer.start();
});
afterEach(async () => {
  await other.stop('SIGKILL');
  await rig.remove();
  await cable.remove();
});

const publish = (n: number, text = ''): Promise<string[]> =>
  node.publisher.publish([{ channel: 'band:b1', type: 'note', data: { n, text } }]);

/** Resolves when the condition, in SQL, holds. */
async function until(condition: string): Promise<void> {
  while (!(await node.database.query<[{ holds: boolean }]>(`select ${condition} as holds`))[0].holds);
}

/** @returns how long it took until a message published now was in the log, in ms */
async function published(n: number): Promise<number> {
  const begunAt = performance.now();
  await publish(n);
  await until(`exists (select from sync_message where data->>'n' = '${n}')`);
  return performance.now() - begunAt;
}

/** All that a leader may change. */
async function everything(): Promise<unknown[]> {
  const tables = [
    'sync_channel',
    'sync_channel_epoch',
    'sync_message',
    '(select term, epoch, node from sync_leader) office',
  ];
  return Promise.all(tables.map((table) => node.database.query(`select * from ${table} order by 1, 2`)));
}

/** What the log holds, by offset: no offset is missing, or given twice. */
async function logged(): Promise<number[]> {
  const rows = await node.database.query<{ offset: number; n: number }[]>(
    `select "offset"::int as "offset", (data->>'n')::int as n from sync_message order by "offset"`,
  );
  expect(rows.map(({ offset }) => offset)).toEqual(rows.map((_, nth) => nth + 1));
  return rows.map(({ n }) => n);
}

/** Ends the failure, and resolves when the old leader has applied for the office again. */
async function resumed(resume: () => void): Promise<void> {
  const [{ now }] = await node.database.query<[{ now: string }]>('select clock_timestamp()::text as now');
  resume();
  await until(`exists (
    select from pg_stat_activity
    where application_name = 'other' and query like '%from sync_leader l%' and query_start > '${now}')`);
}

it('a leader that was killed is replaced within 2 s', async () => {
  await other.stop('SIGKILL');
  expect(await published(1)).toBeLessThan(2_000);
  expect(await logged()).toEqual([0, 1]);
});

it('a leader that was stopped is replaced within 2 s, and changes nothing when it goes on', async () => {
  other.send('SIGSTOP');
  expect(await published(1)).toBeLessThan(2_000);
  expect(await logged()).toEqual([0, 1]);
  await until(`exists (select from sync_leader where node = 'successor')`);
  const before = await everything();
  await resumed(() => other.send('SIGCONT'));
  expect(await everything()).toEqual(before);
});

it('a leader that was stopped in the middle of a batch loses and doubles nothing', async () => {
  const brake = node.database.createQueryRunner();
  await brake.startTransaction();
  await brake.query('lock table sync_message in share mode');
  await Promise.all(Array.from({ length: 40 }, (_, nth) => publish(nth + 1, 'x'.repeat(25_000))));
  await until(`exists (select from pg_stat_activity where application_name = 'other' and wait_event_type = 'Lock')`);
  other.send('SIGSTOP');
  await brake.commitTransaction();
  await brake.release();
  expect(await published(41)).toBeLessThan(2_000);
  expect(await logged()).toEqual(Array.from({ length: 42 }, (_, n) => n));
  await until(`exists (select from sync_leader where node = 'successor')`);
  const before = await everything();
  await resumed(() => other.send('SIGCONT'));
  expect(await everything()).toEqual(before);
});

it('a leader that was cut off from Postgres is replaced within 2 s, and changes nothing when it is back', async () => {
  cable.swallow('everything');
  expect(await published(1)).toBeLessThan(2_000);
  expect(await logged()).toEqual([0, 1]);
  await until(`exists (select from sync_leader where node = 'successor')`);
  const before = await everything();
  await resumed(() => cable.plugIn());
  expect(await everything()).toEqual(before);
});
