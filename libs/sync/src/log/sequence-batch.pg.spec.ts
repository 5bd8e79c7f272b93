import type { EntityManager, QueryRunner } from 'typeorm';
import { LogRig, type LogNode } from '../../test/log-rig.js';
import { LeaderConnection } from './leader-connection.js';
import { renewOffice, takeOffice, type Office } from './leadership.js';
import { OutboxScan } from './outbox-scan.js';
import { sequenceBatch, type BatchLimits } from './sequence-batch.js';

let rig: LogRig;
let node: LogNode;
let connection: LeaderConnection;
let office: Office;
let scan: OutboxScan;
const runners: QueryRunner[] = [];

beforeEach(async () => {
  rig = await LogRig.make();
  node = await rig.node();
  connection = await LeaderConnection.open(node.database, 60_000);
  office = (await takeOffice(connection, 'test', 60_000))!;
  scan = new OutboxScan();
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.release();
  await connection.close();
  await rig.remove();
});

const publish = (n: number, transaction?: EntityManager): Promise<string[]> =>
  node.publisher.publish([{ channel: 'band:b1', type: 'note', data: { n } }], transaction);

/** A transaction on a connection of its own. */
async function open(): Promise<QueryRunner> {
  const runner = node.database.createQueryRunner();
  runners.push(runner);
  await runner.startTransaction();
  return runner;
}

/** One batch, as the sequencer does it. @returns what was moved, in the order of the log */
async function move(limits: BatchLimits = { messages: 500, bytes: 1_000_000 }): Promise<number[]> {
  const { batches, look } = (await sequenceBatch(connection, office, scan.ranges, limits))!;
  scan.looked(look);
  return batches.flatMap(({ messages }) => messages.map(({ data }) => (data as { n: number }).n));
}

/** Many messages at once, on the connection whose statistics {@link costOfABatch} has written before it counts. */
async function insert(many: number): Promise<void> {
  const text = `insert into sync_outbox (message_id, channel, type, data, bytes)
                select gen_random_uuid(), 'band:b1', 'note', '{}', 2 from generate_series(1, $1)`;
  await connection.query({ name: 'insert', text }, [many]);
}

/** @returns what a batch of at most so many messages touches of the outbox and its indexes: blocks, and rows read */
async function costOfABatch(messages: number): Promise<{ blocks: number; rows: number }> {
  const cost = async (): Promise<{ blocks: number; rows: number }> => {
    await connection.query({ name: 'flush', text: 'select pg_stat_force_next_flush()' }, []);
    const [row] = await node.database.query<[{ blocks: number; rows: number }]>(
      `select (heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::int as blocks,
              (seq_tup_read + (select sum(idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid))::int as rows
       from pg_statio_user_tables b join pg_stat_user_tables t using (relid) where t.relname = 'sync_outbox'`,
    );
    return row;
  };
  const before = await cost();
  await move({ messages, bytes: 1_000_000 });
  const after = await cost();
  return { blocks: after.blocks - before.blocks, rows: after.rows - before.rows };
}

it('does not skip a transaction that is open with a higher xid than all that have ended', async () => {
  const [lower, higher] = [await open(), await open()];
  await lower.query('select pg_current_xact_id()');
  await publish(1, higher.manager);
  await publish(2, lower.manager);
  await lower.commitTransaction();
  expect(await move()).toEqual([2]);
  expect(await move()).toEqual([]);
  await higher.commitTransaction();
  expect(await move()).toEqual([1]);
});

it('moves a late transaction before a later one about the same entity', async () => {
  const early = await open();
  await publish(1, early.manager);
  await publish(0);
  expect(await move()).toEqual([0]);
  await early.commitTransaction();
  await publish(2);
  expect(await move({ messages: 1, bytes: 1_000_000 })).toEqual([1]);
  expect(await move()).toEqual([2]);
});

it('forgets the ids of what was rolled back', async () => {
  const failing = await open();
  await publish(1, failing.manager);
  await publish(2);
  expect(await move()).toEqual([2]);
  expect(scan.ranges.length).toBe(2);
  await failing.rollbackTransaction();
  // Not at once: what is open in the other databases of the server counts as well.
  while (scan.ranges.length > 1) expect(await move()).toEqual([]);
});

it('does not walk over rows that are gone, though an open snapshot keeps them', async () => {
  const dump = node.database.createQueryRunner();
  runners.push(dump);
  await dump.startTransaction('REPEATABLE READ');
  await dump.query('select from sync_message');
  await insert(10_000);
  expect((await move({ messages: 20_000, bytes: 1_000_000 })).length).toBe(10_000);
  await move();
  expect((await costOfABatch(500)).blocks).toBeLessThan(10);
  scan = new OutboxScan();
  expect((await costOfABatch(500)).blocks).toBeGreaterThan(100);
  await dump.commitTransaction();
});

it('reads no more of a backlog than it moves, whatever the planner makes of it', async () => {
  await insert(50_000);
  expect((await costOfABatch(500)).rows).toBeLessThan(1_100);
});

it('moves as many bytes as allowed, and a message that is larger alone', async () => {
  const sizes = [400, 400, 400, 3_000, 10, 10];
  await node.publisher.publish(
    sizes.map((size, n) => ({ channel: 'band:b1', type: 'note', data: { n, text: 'x'.repeat(size) } })),
  );
  const limits = { messages: 500, bytes: 1_000 };
  const batches = [await move(limits), await move(limits), await move(limits), await move(limits), await move(limits)];
  expect(batches).toEqual([[0, 1], [2], [3], [4, 5], []]);
});

it('moves nothing, and has lost the office, when its last message is not in the log', async () => {
  await publish(1);
  await publish(2);
  const limits = { messages: 1, bytes: 1_000_000 };
  const { batches } = (await sequenceBatch(connection, office, scan.ranges, limits))!;
  const later = { ...office, last: { channel: 'band:b1', offset: 1, id: batches[0]!.messages[0]!.id } };
  expect(await renewOffice(connection, later, 60_000)).toBe(true);
  await node.database.query('delete from sync_message');
  expect(await renewOffice(connection, later, 60_000)).toBe(false);
  expect(await sequenceBatch(connection, later, scan.ranges, limits)).toBeNull();
  expect(await node.database.query('select from sync_outbox')).toHaveLength(1);
});
