import { LogRig, type LogNode } from '../../test/log-rig.js';

const tables = ['sync_leader', 'sync_outbox', 'sync_channel', 'sync_channel_epoch', 'sync_message', 'sync_idempotency'];
let rig: LogRig;
let node: LogNode;

beforeEach(async () => {
  rig = await LogRig.make();
  node = await rig.node();
  node.sequencer.start();
});
afterEach(() => rig.remove());

const publish = (n: number): Promise<string[]> =>
  node.publisher.publish([{ channel: 'band:b1', type: 'note', data: { n } }]);

/** The log as readers see it: each message with the epoch that its offset belongs to. */
const logged = (): Promise<{ offset: number; n: number; epoch: number }[]> =>
  node.database.query(
    `select m."offset"::int as "offset", (m.data->>'n')::int as n,
            (select count(*) from sync_channel_epoch e where e.channel = m.channel and e.began_at <= m."offset")::int as epoch
     from sync_message m order by m."offset"`,
  );

async function backUp(): Promise<void> {
  for (const table of tables) await node.database.query(`create table backup_${table} as table ${table}`);
}

async function restore(): Promise<void> {
  await node.database.transaction(async (transaction) => {
    for (const table of tables) await transaction.query(`delete from ${table}`);
    for (const table of tables) await transaction.query(`insert into ${table} select * from backup_${table}`);
  });
}

it('a leader that lost its connection goes on by itself, in a new epoch', async () => {
  await publish(1);
  await node.sequenced(1);
  await node.database.query('select pg_terminate_backend(backend_pid) from sync_leader');
  const begunAt = performance.now();
  await publish(2);
  await node.sequenced(2);
  expect(performance.now() - begunAt).toBeLessThan(1_000);
  expect(await logged()).toEqual([
    { offset: 1, n: 1, epoch: 1 },
    { offset: 2, n: 2, epoch: 2 },
  ]);
});

describe('a backup that is restored under a living leader', () => {
  it('begins a new epoch: no position of what is gone is good for what follows', async () => {
    for (const n of [1, 2]) await publish(n);
    await node.sequenced(2);
    await backUp();
    for (const n of [3, 4]) await publish(n);
    await node.sequenced(4);
    await restore();
    await publish(5);
    await node.sequenced(5);
    expect(await logged()).toEqual([
      { offset: 1, n: 1, epoch: 1 },
      { offset: 2, n: 2, epoch: 1 },
      { offset: 3, n: 5, epoch: 2 },
    ]);
  });

  it('is noticed without any message', async () => {
    await publish(1);
    await node.sequenced(1);
    await backUp();
    await publish(2);
    await node.sequenced(2);
    const { term } = node.sequencer;
    await restore();
    const row = `select from sync_leader where term > ${term} and lease_until > clock_timestamp()`;
    while ((await node.database.query<unknown[]>(row)).length === 0);
  });
});
