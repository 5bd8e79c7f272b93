import { EventBroadcaster } from '@soleil/sync';
import type { Signalled } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import { NodeLink, presenceLocks } from '../libs/sync/src/log/node-link.js';
import { Cable } from './support/cable.js';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const channel = 'band:b1';
const trumpet = { instrument: 'trumpet', role: 'member' } as const;

/** Two nodes, the far one behind a cable to the database. Whoever's right has ended is on the far one. */
describe('signals after the end of a right', () => {
  let database: TestDatabase;
  let cable: Cable;
  let band: SmallBand;
  let near: SyncApp;
  let far: SyncApp;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    cable = await Cable.plug(() => database.url);
    const url = new URL(database.url);
    url.port = new URL(cable.url).port;
    band = new SmallBand();
    for (const user of ['tina', 'pete']) band.join(user, 'b1', 'trumpet');
    near = await startSyncApp(database, {}, band);
    far = await startSyncApp({ ...database, url: url.href }, {}, band);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    cable.pull();
    cable.plugIn();
    await far.close();
    await near.close();
    await cable.remove();
    await database.drop();
  });

  const device = async (user: string, node = far) => {
    const socket = stockClient(node.url, { token: user });
    sockets.push(socket);
    const signals: unknown[] = [];
    socket.on('signal', ({ data }: Signalled) => signals.push(data));
    const follower = new Follower(socket, channel);
    await follower.subscribe();
    const hears = (wanted: unknown): Promise<void> =>
      new Promise((resolve) => {
        const listen = ({ data }: Signalled): void => {
          if (data !== wanted) return;
          socket.off('signal', listen);
          resolve();
        };
        socket.on('signal', listen);
      });
    return { socket, follower, signals, hears };
  };
  const signal = (data: unknown, node = far): void => node.app.get(EventBroadcaster).signal({ channel, type: 'page', data });
  const backendOfLink = async (node: SyncApp): Promise<number> => {
    const [row] = await near.database.query<{ pid: number }[]>(
      `select pid from pg_locks where locktype = 'advisory' and classid = $1 and objid = $2 and granted
         and database = (select oid from pg_database where datname = current_database())`,
      [presenceLocks, node.app.get(NodeLink).number],
    );
    return row!.pid;
  };

  /** Tina loses her right on the near node, and at once something is signalled on the far one. */
  const revokeAndSignal = async (): Promise<unknown[]> => {
    const [tina, pete] = [await device('tina'), await device('pete')];
    const [revoked, heard] = [next(tina.socket, 'revoked'), pete.hears('after')];
    await near.changeRights('tina', 'b1', null);
    signal('after');
    await Promise.all([revoked, heard]);
    return tina.signals;
  };

  it('reach nobody who lost it while a node was cut off from the others, and no connection of its pool is free', async () => {
    const [tina, pete] = [await device('tina'), await device('pete')];
    const { master: pool } = far.database.driver as unknown as { master: { waitingCount: number } };
    const runners = Array.from({ length: 20 }, () => far.database.createQueryRunner());
    const connected = runners.map((runner) => runner.connect());
    while (pool.waitingCount === 0) await new Promise((resolve) => setImmediate(resolve));
    const [revoked, heard] = [next(tina.socket, 'revoked'), pete.hears('after')];
    await near.database.query('select pg_terminate_backend($1)', [await backendOfLink(far)]);
    await near.changeRights('tina', 'b1', null);
    signal('after');
    await Promise.all([revoked, heard]);
    expect(tina.signals).toEqual([]);
    await Promise.all(connected.map((connection, n) => connection.then(() => runners[n]!.release())));
  });

  it('reach nobody who lost it as soon as the database was back, though the node had found it away', async () => {
    const [tina, pete] = [await device('tina'), await device('pete')];
    cable.pull();
    const away = pete.hears('away');
    signal('away');
    await away;
    expect(tina.signals).toEqual(['away']);
    cable.plugIn();
    const [revoked, heard] = [next(tina.socket, 'revoked'), pete.hears('after')];
    await near.changeRights('tina', 'b1', null);
    signal('after');
    await Promise.all([revoked, heard]);
    expect(tina.signals).not.toContain('after');
  });

  it('reach nobody who lost it while the connections of a node were dead, and nobody had told it', async () => {
    const [tina, pete] = [await device('tina'), await device('pete')];
    cable.lose();
    const [revoked, heard] = [next(tina.socket, 'revoked'), pete.hears('after')];
    await near.changeRights('tina', 'b1', null);
    signal('after');
    await Promise.all([revoked, heard]);
    expect(tina.signals).toEqual([]);
  });

  it('reach nobody who lost it while the link hung in the middle of an answer', async () => {
    const pid = await backendOfLink(far);
    process.kill(pid, 'SIGSTOP');
    try {
      expect(await revokeAndSignal()).toEqual([]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('reach nobody who lost it and was granted it again before Auth was asked', async () => {
    const [tina, pete] = [await device('tina'), await device('pete')];
    const { asked, answer } = band.delay('token', { of: 'tina' });
    const [reset, heard] = [next(tina.socket, 'reset'), pete.hears('in between')];
    await near.changeRights('tina', 'b1', null);
    await asked;
    signal('in between');
    await heard;
    await near.changeRights('tina', 'b1', trumpet);
    answer();
    await reset;
    const again = tina.hears('again');
    signal('again');
    await again;
    expect(tina.signals).toEqual(['again']);
  });

  it('are in the end the latest for everybody, wherever they were while one node was cut off', async () => {
    const [here, there] = [await device('pete', near), await device('tina')];
    cable.pull();
    for (const n of [1, 2, 3]) {
      const heard = there.hears(n);
      signal(n);
      await heard;
    }
    const caughtUp = here.hears(3);
    cable.plugIn();
    await caughtUp;
    expect([here.signals, there.signals.at(-1)]).toEqual([[3], 3]);
  });

  it('do not wait for what another channel is told without end', async () => {
    band.join('noisy', 'b2', 'drums');
    const [noisy, pete] = [await device('pete', near), await device('tina')];
    const told = (n: number): Promise<void> => {
      for (let key = 0; key < 500; key++)
        near.app
          .get(EventBroadcaster)
          .signal({ channel: 'user:noisy', type: 'x', key: `${n} ${key}`, data: 'x'.repeat(4_000) });
      return new Promise((resolve) => setImmediate(resolve));
    };
    let isOver = false;
    const flood = (async () => {
      for (let n = 0; !isOver; n++) await told(n);
    })();
    const heard = pete.hears('turned');
    noisy.socket.emit('signal', { channel, type: 'page', data: 'turned' });
    await heard;
    isOver = true;
    await flood;
  });
});
