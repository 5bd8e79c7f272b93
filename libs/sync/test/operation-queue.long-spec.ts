import { randomUUID } from 'node:crypto';
import { claim } from '../src/queue/lease-statements.js';
import { lost } from '../src/queue/loss-statements.js';
import { LogRig, type LogNode } from './log-rig.js';
import { liveRandomly } from './operation-histories.js';
import { QueueParts } from './queue-parts.js';
import { costOf } from './statement-cost.js';

let rig: LogRig;
let node: LogNode;

beforeEach(async () => {
  rig = await LogRig.make();
  node = await rig.node();
});
afterEach(() => rig.remove());

it(
  'keeps its promises whatever happens in whatever order: none lost, none twice, none inverted, none stuck',
  () => liveRandomly(node, 200),
  300_000,
);

it('claims and reclaims by index, at a cost that 1,000,000 finished operations do not raise', async () => {
  const { database } = node;
  await database.query(
    `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause)
     select gen_random_uuid(), 'file', 'pending', case when n < 5 then n % 4 else 3 end, 'file:' || n, 'b1', n::text, 'test' from generate_series(1, 20000) n`,
  );
  const finish = (many: number): Promise<unknown> =>
    database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, attempts, started_at, finished_at)
       select gen_random_uuid(), 'file', 'completed', n % 4, 'file:' || n % 5000, 'b1', (n % 5000)::text, 'test', 1, now(), now()
       from generate_series(1, $1::int) n`,
      [many],
    );
  const buffers = async (perMinute: number | null): Promise<number> => {
    await database.query('vacuum analyze sync_operation');
    let sum = 0;
    for (const [sql, ...parameters] of [
      ...[[], [2]].flatMap((oldest) => [
        [claim(false, oldest.length > 0), [0, 1, 2, 3], 10, 'n', randomUUID(), 5_000, 1, ...oldest] as const,
        [claim(true, oldest.length > 0), [0, 1, 2, 3], 10, 'n', randomUUID(), 5_000, 1, perMinute, ...oldest] as const,
      ]),
      [lost, 1, 200],
    ] as const) {
      const cost = await costOf(database, sql, parameters, 'sync_operation');
      // What it takes, some of the others at most, and nothing of the history.
      expect(cost.rows).toBeLessThan(50);
      sum += cost.buffers;
    }
    return sum;
  };
  await database.query(`insert into sync_band_pace (band_id) select 'b' || n from generate_series(1, 5000) n`);
  await finish(50_000);
  const [young, youngLimited] = [await buffers(null), await buffers(60)];
  await finish(950_000);
  expect(await buffers(null)).toBeLessThan(young * 1.2);
  expect(await buffers(60)).toBeLessThan(youngLimited * 1.2);
  const { leases } = new QueueParts(database).process(1);
  expect(await leases.claim(10, ['critical', 'high', 'normal', 'low'])).toHaveLength(10);
}, 120_000);
