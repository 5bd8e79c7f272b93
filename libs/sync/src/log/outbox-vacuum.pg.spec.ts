import { Cable } from '../../../../test/support/cable.js';
import { LogRig, type LogNode } from '../../test/log-rig.js';
import { OutboxVacuum } from './outbox-vacuum.js';

let rig: LogRig;
let node: LogNode;

beforeEach(async () => {
  rig = await LogRig.make();
  node = await rig.node();
});
afterEach(() => rig.remove());

const outbox = async (): Promise<{ bytes: number; vacuums: number }> => {
  const [row] = await node.database.query<[{ bytes: number; vacuums: number }]>(
    `select pg_relation_size(relid)::int as bytes, vacuum_count::int as vacuums
     from pg_stat_user_tables where relname = 'sync_outbox'`,
  );
  return row;
};
const publishOne = (): Promise<string[]> => node.publisher.publish([{ channel: 'band:b1', type: 'note', data: {} }]);

it('keeps the outbox as small as what it holds between two of its vacuums', async () => {
  node.sequencer.start();
  const sizes: number[] = [];
  for (const round of [1, 2]) {
    await node.database.query(
      `insert into sync_outbox (message_id, channel, type, data, bytes)
       select gen_random_uuid(), 'band:b1', 'note', '{}', 2 from generate_series(1, 20000)`,
    );
    node.sequencer.wake();
    await node.sequenced(round * 20_000);
    // It rests after each one, and is then begun with the next message.
    while ((await outbox()).vacuums < round) await publishOne();
    sizes.push((await outbox()).bytes);
  }
  expect(sizes[1]).toBeLessThan(1.2 * sizes[0]!);
});

it('holds up neither the sequencer nor publishers while somebody else has the table', async () => {
  node.sequencer.start();
  const lock = node.database.createQueryRunner();
  await lock.startTransaction();
  // What another vacuum, or an index that is being built, holds.
  await lock.query('lock table sync_outbox in share update exclusive mode');
  await node.database.query(
    `insert into sync_outbox (message_id, channel, type, data, bytes)
     select gen_random_uuid(), 'band:b1', 'note', '{}', 2 from generate_series(1, 20000)`,
  );
  node.sequencer.wake();
  await node.sequenced(20_000);
  await publishOne();
  await node.sequenced(20_001);
  await lock.rollbackTransaction();
  await lock.release();
});

it('gives up a connection that died without a word', async () => {
  const cable = await Cable.plug(() => rig.testDatabase.url);
  const far = await rig.node({ node: 'far' }, rig.through(cable));
  await far.database.query('select');
  const vacuum = new OutboxVacuum(far.database, 300);
  cable.lose();
  vacuum.moved(20_000);
  await vacuum.ended();
  // Given up, and not lent to the next one.
  await far.database.query('select');
  await cable.remove();
});
