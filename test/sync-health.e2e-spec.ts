import { EventBroadcaster, SyncHealth, SyncStatus, WebSocketGateway, type Health, type SyncOptions } from '@soleil/sync';
import { Hubs } from '../libs/sync/src/fan-out/hubs.js';
import { NodeLink } from '../libs/sync/src/log/node-link.js';
import { Retention } from '../libs/sync/src/log/retention.js';
import { Cable } from './support/cable.js';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const quick: SyncOptions = { canaryMs: 100 };

describe('health', () => {
  let database: TestDatabase;
  const apps: SyncApp[] = [];
  const cables: Cable[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
  });
  afterEach(async () => {
    for (const cable of cables) cable.plugIn();
    for (const sync of apps.splice(0)) await sync.close();
    for (const cable of cables.splice(0)) await cable.remove();
    await database.drop();
  });

  const start = async (options: SyncOptions, url = database.url): Promise<SyncApp> => {
    const sync = await startSyncApp({ ...database, url }, options);
    apps.push(sync);
    return sync;
  };
  const plug = async (target: string): Promise<Cable> => {
    const cable = await Cable.plug(() => target);
    cables.push(cable);
    return cable;
  };
  const healthOf = (sync: SyncApp): Health => sync.app.get(SyncHealth).check();
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
  };
  const ready = (sync: SyncApp): Promise<void> => until(() => healthOf(sync).ready);
  const stoppedAt = async (sync: SyncApp, stage: string): Promise<void> =>
    until(() => {
      const health = healthOf(sync);
      return !health.ready && health.stage === stage;
    });
  const canariesOf = async (sync: SyncApp): Promise<{ rows: number; offset: number }> => {
    const [found] = await sync.database.query<{ rows: number; offset: number }[]>(
      `select count(*)::integer as rows, max("offset")::integer as "offset" from sync_message where channel like 'node:%'`,
    );
    return found!;
  };

  it('fault: the database answers no more; it is named within 3 s, and all is well when it does', async () => {
    const cable = await plug(database.url);
    const url = Object.assign(new URL(database.url), { port: new URL(cable.url).port }).href;
    const sync = await start({}, url);
    await ready(sync);
    const silentSince = Date.now();
    cable.swallow('everything');
    await stoppedAt(sync, 'database');
    expect(Date.now() - silentSince).toBeLessThan(3_000);
    const health = healthOf(sync) as Health & { ready: false };
    expect(Date.parse(health.since)).toBeGreaterThanOrEqual(silentSince - 1_000);
    cable.plugIn();
    await ready(sync);
  });

  it('fault: another transaction holds the leader’s row, so nothing is numbered', async () => {
    const sync = await start(quick);
    await ready(sync);
    const brake = sync.database.createQueryRunner();
    try {
      await brake.startTransaction();
      await brake.query('select from sync_leader for update');
      await stoppedAt(sync, 'sequencer');
      // What a node sends to itself is nobody's message.
      expect(await sync.app.get(SyncStatus).sequencer()).toMatchObject({ waiting: 0 });
    } finally {
      await brake.rollbackTransaction();
      await brake.release();
    }
    await ready(sync);
  });

  it('fault: a node hears neither news nor looks at the heads; the other one is not concerned', async () => {
    const here = await start(quick);
    await ready(here);
    const there = await start({ ...quick, pollMs: 3_600_000 });
    await ready(there);
    await there.app.get(NodeLink).stop();
    await stoppedAt(there, 'fan_out');
    expect(healthOf(here)).toEqual({ ready: true });
    await there.app.get(NodeLink).start();
    await ready(there);
  });

  it('lets the log not grow, and is out of reach of devices and publishers', async () => {
    const sync = await start(quick);
    sync.band.join('tina', 'b1', 'trumpet');
    await until(async () => (await canariesOf(sync)).offset >= 5);
    expect((await canariesOf(sync)).rows).toBeLessThanOrEqual(2);
    const socket = stockClient(sync.url, { token: 'tina' });
    const [{ channel }] = await sync.database.query<[{ channel: string }]>('select name as channel from sync_channel');
    expect(await new Follower(socket, channel).subscribe()).toMatchObject({ error: { code: 'frame_invalid' } });
    await expect(sync.app.get(EventBroadcaster).publish({ channel, type: 'note', data: 1 })).rejects.toMatchObject({
      code: 'message_invalid',
    });
    socket.disconnect();
  });

  it('forgets the channels of dead nodes, and those of the living not', async () => {
    const sync = await start(quick);
    await ready(sync);
    await sync.database.query(
      `insert into sync_message (channel, "offset", id, type, key, data, published_at)
       values ('node:dead', 7, gen_random_uuid(), 'canary', 'canary', 'true', clock_timestamp() - interval '11 minutes')`,
    );
    await sync.database.query(`insert into sync_channel (name, head, epoch) values ('node:dead', 7, 'e')`);
    await sync.database.query(`insert into sync_channel_epoch (channel, epoch, began_at) values ('node:dead', 'e', 1)`);
    await sync.app.get(Retention).prune();
    const names = await sync.database.query<{ name: string }[]>(
      `select name from sync_channel union select channel from sync_message union select channel from sync_channel_epoch`,
    );
    expect(names).toHaveLength(1);
    expect(names[0]!.name).not.toBe('node:dead');
    expect(healthOf(sync)).toEqual({ ready: true });
  });

  it('fault: a line is cut and nobody is told; the half-open connection goes, with its readers, and no other', async () => {
    const sync = await start({ pingIntervalMs: 100, pingTimeoutMs: 100 });
    for (const user of ['tina', 'alma']) sync.band.join(user, 'b1', 'trumpet');
    const cable = await plug(sync.url);
    const [cut, whole] = [stockClient(cable.url, { token: 'tina' }), stockClient(sync.url, { token: 'alma' })];
    await Promise.all([cut, whole].map((socket) => new Follower(socket, 'band:b1').subscribe()));
    // The client would notice, too, by the same time; this one never does.
    Object.assign(cut.io.engine, { _pingInterval: 1_000_000 });
    await new Promise<void>((resolve) => void cut.io.once('ping', resolve));
    const cutSince = Date.now();
    cable.swallow('everything');
    const users = (): string[] =>
      sync.app
        .get(WebSocketGateway)
        .connected()
        .map(({ userId }) => userId);
    await until(() => users().length < 2);
    expect(Date.now() - cutSince).toBeLessThan(2_000);
    expect(users()).toEqual(['alma']);
    expect((await sync.app.get(Hubs).open('band:b1')).readers.size).toBe(1);
    expect(whole.connected).toBe(true);
    for (const socket of [cut, whole]) socket.disconnect();
  });
});
