import { Cable } from '../../../../test/support/cable.js';
import { LogRig } from '../../test/log-rig.js';
import { LeaderConnection } from './leader-connection.js';
import { takeOffice } from './leadership.js';

const leaseMs = 300;
let rig: LogRig;
let cable: Cable;

beforeEach(async () => {
  rig = await LogRig.make();
  cable = await Cable.plug(() => rig.testDatabase.url);
});
afterEach(async () => {
  await cable.remove();
  await rig.remove();
});

describe('a leader that stops in the middle of an answer loses its locks', () => {
  it.each([
    ['to a successor, which ends its backend', { patienceMs: 3_600_000, role: 'none' }],
    ['after the time of a lease, where the successor may not end its backend', { patienceMs: leaseMs, role: 'pg_monitor' }],
  ])('%s', async (_, { patienceMs, role }) => {
    const far = await rig.node({ node: 'far' }, rig.through(cable));
    const near = await rig.node();
    const leader = await LeaderConnection.open(far.database, patienceMs);
    await takeOffice(leader, 'far', leaseMs);
    cable.swallow('answers');
    const text = `select repeat('x', 1000000) from sync_leader, generate_series(1, 50) for share of sync_leader`;
    const answer = leader.query({ name: 'long', text }, []).catch((error: unknown) => error);
    const isStuck = `select from pg_stat_activity where application_name = 'far' and wait_event = 'ClientWrite'`;
    while ((await near.database.query<unknown[]>(isStuck)).length === 0);

    const successor = await LeaderConnection.open(near.database, leaseMs);
    await near.database.query('grant select, update on sync_leader to pg_monitor');
    await successor.query({ name: 'role', text: `set role ${role}` }, []);
    let office = null;
    while (!office) office = await takeOffice(successor, 'near', leaseMs);
    expect(office.term).toBe(2);

    cable.pull();
    expect(await answer).toBeInstanceOf(Error);
    await Promise.all([leader.close(), successor.close()]);
  });
});
