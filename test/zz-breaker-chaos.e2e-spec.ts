import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBroadcaster, syncMigrations } from '@soleil/sync';
import { startPostgres } from '@soleil/devdb';
import { SyncClient } from '@soleil/sync-client';
import { DataSource } from 'typeorm';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';
const tick = (ms: number) => new Promise((r) => setTimeout(r, ms));

function watch(socket: any, channel: string) {
  const bad: string[] = [];
  const seen: number[] = [];
  let position: any = null;
  let disconnects = 0;
  socket.on('messages', (f: any) => {
    if (f.channel !== channel) return;
    if (position && f.from !== position.offset + 1) bad.push(`from ${f.from} at ${position.offset}`);
    for (const m of f.messages) seen.push(m.data.n);
    position = { epoch: f.epoch, offset: f.to };
    socket.emit('ack', { channel, offset: f.to });
  });
  socket.on('reset', () => bad.push('reset'));
  socket.on('closing', (c: any) => {
    disconnects++;
    bad.push(`closing ${JSON.stringify(c)}`);
  });
  return {
    bad,
    seen,
    get position() {
      return position;
    },
    get disconnects() {
      return disconnects;
    },
  };
}

describe('breaker: chaos', () => {
  it('C1 leader terminated, lease stolen, in mid-batch, publishers on both nodes', async () => {
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const apps: SyncApp[] = [
      await startSyncApp(database, { sequencerBatch: 7 }, band),
      await startSyncApp(database, { sequencerBatch: 7 }, band),
    ];
    try {
      const watches = await Promise.all(
        apps.map(async (a) => {
          const s = stockClient(a.url, { token: 'tina' });
          const w = watch(s, 'band:b1');
          await s.emitWithAck('subscribe', { channel: 'band:b1' });
          return { s, w };
        }),
      );
      let stop = false;
      const ok: number[] = [];
      const unsure: number[] = [];
      let n = 0;
      const pubs = apps.flatMap((a) =>
        [0, 1].map(async () => {
          while (!stop) {
            const v = n++;
            try {
              await a.app.get(EventBroadcaster).publish({ channel: 'band:b1', type: 'note', data: { n: v } });
              ok.push(v);
            } catch {
              unsure.push(v);
            }
          }
        }),
      );
      const end = Date.now() + 12_000;
      let kills = 0;
      while (Date.now() < end) {
        await tick(300 + Math.random() * 900);
        const way = Math.random();
        if (way < 0.4)
          await apps[0]!.database.query(`select pg_terminate_backend(backend_pid) from sync_leader`).catch(() => 0);
        else if (way < 0.8) await apps[0]!.database.query(`update sync_leader set lease_until = '-infinity'`).catch(() => 0);
        else
          await apps[1]!.database
            .query(
              `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and random() < 0.3`,
            )
            .catch(() => 0);
        kills++;
      }
      stop = true;
      await Promise.all(pubs);
      const until = Date.now() + 10_000;
      while (Date.now() < until && watches.some(({ w }) => ok.some((v) => !w.seen.includes(v)))) await tick(200);
      const [a, b] = watches.map(({ w }) => w);
      for (const { s } of watches) s.disconnect();
      const missing = ok.filter((v) => !a!.seen.includes(v)).length;
      expect({
        kills: kills > 5,
        total: ok.length > 100,
        missing,
        doubles: a!.seen.length - new Set(a!.seen).size,
        same: JSON.stringify(a!.seen) === JSON.stringify(b!.seen),
        bad: [...a!.bad, ...b!.bad],
      }).toEqual({ kills: true, total: true, missing: 0, doubles: 0, same: true, bad: [] });
    } finally {
      for (const a of apps) await a.close();
      await database.drop();
    }
  }, 60_000);

  it('C2 PostgreSQL crashes twice under load: everything resumes, sockets stay', async () => {
    const postgres = await startPostgres({ dataDir: await mkdtemp(join(tmpdir(), 'breaker-pg-')), settings: {} });
    const source = new DataSource({ type: 'postgres', url: postgres.url(), migrations: syncMigrations });
    await source.initialize();
    await source.runMigrations();
    await source.destroy();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    band.join('lea', 'b1', 'piano', 'leader');
    const database: any = { url: postgres.url(), drop: async () => undefined };
    const apps = [await startSyncApp(database, {}, band), await startSyncApp(database, {}, band)];
    try {
      const watches = await Promise.all(
        apps.map(async (a) => {
          const s = stockClient(a.url, { token: 'tina' });
          const w = watch(s, 'band:b1');
          await s.emitWithAck('subscribe', { channel: 'band:b1' });
          return { s, w };
        }),
      );
      let stop = false;
      const ok: number[] = [];
      let n = 0;
      const pubs = apps.map(async (a) => {
        while (!stop) {
          const v = n++;
          try {
            await a.app.get(EventBroadcaster).publish({ channel: 'band:b1', type: 'note', data: { n: v } });
            ok.push(v);
          } catch {
            await tick(20);
          }
        }
      });
      for (let i = 0; i < 2; i++) {
        await tick(1500);
        await postgres.kill();
        await tick(1000);
        await postgres.restart();
      }
      const back = Date.now();
      const at = ok.length;
      while (ok.length === at && Date.now() - back < 10_000) await tick(10);
      await tick(2500);
      stop = true;
      await Promise.all(pubs);
      const until = Date.now() + 10_000;
      while (Date.now() < until && watches.some(({ w }) => ok.some((v) => !w.seen.includes(v)))) await tick(200);
      const [a, b] = watches.map(({ w }) => w);
      const connected = watches.every(({ s }) => s.connected);
      // the engine works, too
      await apps[0]!.save({ fileId: 'f1', bandId: 'b1', path: 'x', audience: 'Bb', text: 't' });
      const f = new Follower(watches[0]!.s, 'band:b1:Bb');
      await f.subscribe();
      await Promise.race([f.count(1), tick(8000)]);
      for (const { s } of watches) s.disconnect();
      expect({
        missing: ok.filter((v) => !a!.seen.includes(v)).length,
        doubles: a!.seen.length - new Set(a!.seen).size,
        same: JSON.stringify(a!.seen) === JSON.stringify(b!.seen),
        bad: [...a!.bad, ...b!.bad],
        connected,
        engine: f.messages.length,
      }).toEqual({ missing: 0, doubles: 0, same: true, bad: [], connected: true, engine: 1 });
    } finally {
      for (const a of apps) await a.close().catch(() => undefined);
      await postgres.stop();
    }
  }, 90_000);

  it('C3 SyncClients with tiny windows and pages, cut again and again in the middle of steps, keep exactly the state', async () => {
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const app = await startSyncApp(
      database,
      { windowBytes: 1500, pageMessages: 3, tailMessages: 4, compactAfterMessages: 10, ackEveryMs: 5, ackEveryBytes: 200 },
      band,
    );
    try {
      const b = app.app.get(EventBroadcaster);
      const truth = new Map<string, number>();
      let n = 0;
      const step = async () => {
        const k = `k${Math.floor(Math.random() * 25)}`;
        const gone = Math.random() < 0.3;
        const v = n++;
        await b.publish({ channel: 'band:b1', type: 'note', key: k, data: gone ? null : { v } });
        if (gone) truth.delete(k);
        else truth.set(k, v);
      };
      for (let i = 0; i < 60; i++) await step();
      const clients = Array.from(
        { length: 5 },
        () =>
          new SyncClient({
            url: app.url,
            token: 'tina',
            socketOptions: { transports: ['websocket'] },
            timings: { backoffMinMs: 5, backoffMaxMs: 30 } as never,
          }),
      );
      const told = clients.map(() => [] as number[]);
      clients.forEach((c, i) => {
        c.onMessage((_, m) => told[i]!.push(m.offset));
        c.follow('band:b1');
        c.connect();
      });
      const end = Date.now() + 10_000;
      const cutter = (async () => {
        while (Date.now() < end) {
          await tick(Math.random() * 60);
          const c = clients[Math.floor(Math.random() * 5)]!;
          const w = Math.random();
          if (w < 0.5) {
            c.disconnect();
            await tick(Math.random() * 10);
            c.connect();
          } else if (w < 0.8) {
            c.unfollow('band:b1');
            await tick(Math.random() * 5);
            c.follow('band:b1');
          } else {
            c.unfollow('band:b1');
            c.follow('band:b1');
          }
        }
      })();
      while (Date.now() < end) {
        await step();
        await tick(Math.random() * 6);
      }
      await cutter;
      for (const c of clients) c.connect();
      const [{ head }] = await app.database
        .query(`select head::int from sync_channel where name = 'band:b1'`)
        .then(async () => {
          for (;;) {
            const [r] = await app.database.query(`select count(*)::int c from sync_outbox`);
            if (r.c === 0) break;
          }
          return app.database.query(`select head::int from sync_channel where name = 'band:b1'`);
        });
      const until = Date.now() + 10_000;
      while (Date.now() < until && clients.some((c) => c.channel('band:b1').position?.offset !== head)) await tick(50);
      const results = clients.map((c) => {
        const rows = [...c.channel('band:b1').rows].map(([k, r]) => [k, (r.data as any).v] as const).sort();
        return {
          offset: c.channel('band:b1').position?.offset,
          state: c.channel('band:b1').state,
          rows: JSON.stringify(rows),
        };
      });
      const ascending = told.every((o) => o.every((v, i) => i === 0 || v > o[i - 1]!));
      for (const c of clients) await c.close();
      const want = JSON.stringify([...truth].sort());
      expect({ results, ascending }).toEqual({
        results: clients.map(() => ({ offset: head, state: 'live', rows: want })),
        ascending: true,
      });
    } finally {
      await app.close();
      await database.drop();
    }
  }, 60_000);

  it('C4 one page is not much larger than the window', async () => {
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const app = await startSyncApp(database, {}, band);
    try {
      for (let i = 0; i < 10; i++)
        await app.app
          .get(EventBroadcaster)
          .publishAll(
            Array.from({ length: 10 }, (_, j) => ({
              channel: 'band:b1' as never,
              type: 'note',
              key: `k${i}-${j}`,
              data: { t: 'x'.repeat(200_000) },
            })),
          );
      for (;;) {
        const [r] = await app.database.query(`select count(*)::int c from sync_outbox`);
        if (r.c === 0) break;
      }
      const s = stockClient(app.url, { token: 'tina' });
      const first = new Promise<number>((r) => s.once('messages', (f: any) => r(JSON.stringify(f).length)));
      await s.emitWithAck('subscribe', { channel: 'band:b1' });
      const bytes = await first;
      s.disconnect();
      expect(bytes).toBeLessThan(2 * 1024 * 1024);
    } finally {
      await app.close();
      await database.drop();
    }
  });

  it('C5 the database errs and is slow while channels are opened and subscribed', async () => {
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const app = await startSyncApp(database, {}, band);
    try {
      const b = app.app.get(EventBroadcaster);
      await b.publish({ channel: 'band:b1', type: 'n', data: { n: 0 } });
      const admin = new DataSource({ type: 'postgres', url: database.url });
      await admin.initialize();
      const sockets = Array.from({ length: 6 }, () => stockClient(app.url, { token: 'tina' }));
      const ws = sockets.map((s) => watch(s, 'band:b1'));
      await Promise.all(sockets.map((s) => new Promise((r) => s.once('connect', () => r(0)))));
      // lock the table: every load waits; then kill the waiting backends
      const locker = admin.createQueryRunner();
      await locker.startTransaction();
      await locker.query('lock table sync_channel_epoch in access exclusive mode');
      const answers = sockets.slice(0, 3).map((s) => s.timeout(8000).emitWithAck('subscribe', { channel: 'band:b1' }));
      await tick(300);
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      const a1 = await Promise.all(answers);
      const more = sockets.map((s) => s.timeout(8000).emitWithAck('subscribe', { channel: 'band:b1' }));
      const pub1 = () => b.publish({ channel: 'band:b1', type: 'n', data: { n: 1 } });
      const published = pub1().catch(() => pub1());
      await tick(300);
      await locker.rollbackTransaction();
      await locker.release();
      const a2 = await Promise.all(more);
      await published.catch((e) => {
        throw new Error('publish: ' + e.message);
      });
      const until = Date.now() + 6000;
      while (Date.now() < until && ws.some((w) => w.seen.length < 2)) await tick(20);
      await admin.destroy();
      for (const s of sockets) s.disconnect();
      expect({
        a1: a1.map((a: any) => a.error?.code),
        a2: a2.map((a: any) => a.ok),
        seen: ws.map((w) => w.seen),
        bad: ws.flatMap((w) => w.bad),
      }).toEqual({
        a1: Array(3).fill('database_unavailable'),
        a2: Array(6).fill(true),
        seen: Array(6).fill([0, 1]),
        bad: [],
      });
    } finally {
      await app.close();
      await database.drop();
    }
  });

  it('C6 memory: after many connects and disconnects nothing of them is left', async () => {
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const app = await startSyncApp(database, {}, band);
    try {
      const { WebSocketGateway } = await import('@soleil/sync');
      for (let i = 0; i < 60; i++) {
        const s = stockClient(app.url, { token: 'tina', deviceId: `device-number-${i % 3}` });
        s.emit('subscribe', { channel: 'band:b1' });
        if (i % 3) await new Promise((r) => s.once('connect', () => r(0)));
        await tick(Math.random() * 10);
        s.disconnect();
      }
      await tick(800);
      const gateway: any = app.app.get(WebSocketGateway);
      const hub: any = [...gateway.hubs.hubs.values()][0];
      expect({
        connections: gateway.connections.size,
        readers: hub.readers.size,
        room: hub.room.size,
        rooms: gateway.namespace.adapter.rooms.size,
        sids: gateway.namespace.adapter.sids.size,
      }).toEqual({ connections: 0, readers: 0, room: 0, rooms: 0, sids: 0 });
    } finally {
      await app.close();
      await database.drop();
    }
  });

  it('C7 a database restored to an earlier moment under living processes', async () => {
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const app = await startSyncApp(database, {}, band);
    try {
      const b = app.app.get(EventBroadcaster);
      const pub = (n: number) => b.publish({ channel: 'band:b1', type: 'n', key: `k${n}`, data: { n } });
      const s = stockClient(app.url, { token: 'tina' });
      const w = watch(s, 'band:b1');
      await s.emitWithAck('subscribe', { channel: 'band:b1' });
      for (let n = 1; n <= 10; n++) await pub(n);
      while (w.seen.length < 10) await tick(10);
      const old = w.position;
      await app.database.query(`delete from sync_message where "offset" > 5`);
      await app.database.query(`update sync_channel set head = 5`);
      for (let n = 101; n <= 104; n++) await pub(n);
      await tick(2500);
      const during = w.seen.length;
      for (let n = 105; n <= 108; n++) await pub(n);
      await tick(2500);
      const s2 = stockClient(app.url, { token: 'tina' });
      const w2 = watch(s2, 'band:b1');
      await s2.emitWithAck('subscribe', { channel: 'band:b1', position: old });
      await tick(500);
      s.disconnect();
      s2.disconnect();
      expect({ during, live: w.seen, back: w2.seen, bad2: w2.bad }).toEqual({ during: 'reset expected' });
    } finally {
      await app.close();
      await database.drop();
    }
  });

  it('C8 a client is not live while the server holds much more for it', async () => {
    const { MemoryStore } = await import('@soleil/sync-client');
    class SlowStore extends MemoryStore {
      override async apply(...a: any): Promise<boolean> {
        await tick(30);
        return (super.apply as any)(...a);
      }
    }
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const app = await startSyncApp(database, { windowBytes: 1500, pageMessages: 3, ackEveryMs: 5 }, band);
    try {
      const c = new SyncClient({
        url: app.url,
        token: 'tina',
        store: new SlowStore(),
        socketOptions: { transports: ['websocket'] },
      });
      c.follow('band:b1');
      c.connect();
      await c.waitFor('live');
      await app.app
        .get(EventBroadcaster)
        .publishAll(
          Array.from({ length: 300 }, (_, n) => ({ channel: 'band:b1' as never, type: 'n', key: `k${n}`, data: { n } })),
        );
      await tick(1000);
      const seen = {
        connection: c.connection.state,
        channel: c.channel('band:b1').state,
        offset: c.channel('band:b1').position?.offset,
      };
      await c.close();
      expect(seen).toEqual({ connection: 'catching_up', channel: 'catching_up', offset: expect.anything() });
    } finally {
      await app.close();
      await database.drop();
    }
  });

  it('C9 lost LISTEN connections leave nothing in the pool', async () => {
    const database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    const app = await startSyncApp(database, {}, band);
    const admin = new DataSource({ type: 'postgres', url: database.url });
    await admin.initialize();
    try {
      for (let i = 0; i < 12; i++) {
        await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`,
        );
        await tick(750);
      }
      const [{ c }] = await admin.query(
        `select count(*)::int c from pg_stat_activity where datname = current_database() and query like 'listen %'`,
      );
      const pool = (app.database.driver as any).master;
      expect({ listeners: c, checkedOut: pool.totalCount - pool.idleCount }).toEqual({ listeners: 1, checkedOut: 2 });
    } finally {
      await admin.destroy();
      await app.close();
      await database.drop();
    }
  });
});
