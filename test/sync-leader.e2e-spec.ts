import { LogRig, type LogNode } from '../libs/sync/test/log-rig.js';
import { Cable } from './support/cable.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { startSyncApp, stockClient, type SyncApp } from './support/sync-app.js';

let rig: LogRig;
/** Publishes, and has a way to the database of its own. */
let direct: LogNode;
let cable: Cable;
let sync: SyncApp;

beforeEach(async () => {
  rig = await LogRig.make();
  direct = await rig.node();
  cable = await Cable.plug(() => rig.testDatabase.url);
  const band = new SmallBand();
  band.memberships.set('tina', [{ bandId: 'b1', role: 'member', instrument: 'tenor sax' }]);
  // Nothing but what the tests publish is to be in a batch.
  const options = { pollMs: 100, canaryMs: 3_600_000 };
  sync = await startSyncApp({ ...rig.testDatabase, url: rig.through(cable) }, options, band);
});
afterEach(async () => {
  await sync.close();
  await rig.remove();
  await cable.remove();
});

const publish = (n: number): Promise<string[]> =>
  direct.publisher.publish([{ channel: 'band:b1', type: 'note', data: { n } }]);
async function until(rows: string): Promise<void> {
  while ((await direct.database.query<unknown[]>(rows)).length === 0);
}

it('a batch whose answer was lost reaches devices once, and what follows after it', async () => {
  const tina = new Follower(stockClient(sync.url, { token: 'tina' }), 'band:b1');
  await tina.subscribe();
  await publish(1);
  await tina.count(1);
  // The connection ends between the batch's commit and its answer.
  const brake = direct.database.createQueryRunner();
  await brake.startTransaction();
  await brake.query('lock table sync_message in share mode');
  await publish(2);
  await until(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
  cable.swallow('answers');
  await brake.commitTransaction();
  await brake.release();
  await until(`select from sync_message where channel = 'band:b1' and "offset" = 2`);
  cable.pull();
  cable.plugIn();
  await tina.count(2);
  await publish(3);
  await tina.count(3);
  expect(tina.messages.map(({ offset, data }) => ({ offset, data }))).toEqual(
    [1, 2, 3].map((n) => ({ offset: n, data: { n } })),
  );
  await until('select from sync_leader where term > 1');
  tina.socket.disconnect();
});
