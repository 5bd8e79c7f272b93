import { EventBroadcaster } from '@soleil/sync';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

describe('breaker: order', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, {});
    sync.band.join('tina', 'b1', 'trumpet');
  });
  afterEach(async () => {
    await sync.close();
    await database.drop();
  });

  it('O1 two transactions about one entity, each locking its row first, are in commit order, under load', async () => {
    await sync.database.query(`create table entity (id int primary key, v int)`);
    await sync.database.query(`insert into entity values (1, 0)`);
    const b = sync.app.get(EventBroadcaster);
    let stop = false;
    // Load: other publishers, as busy as one client of each
    const load = [0, 1, 2].map(async () => {
      while (!stop) await b.publish({ channel: 'band:other', type: 'noise', data: {} });
    });
    const commits: number[] = [];
    let n = 0;
    const write = async (slowMs: number) => {
      await sync.database.transaction(async (t) => {
        await t.query(`select * from entity where id = 1 for update`);
        const v = n++;
        await b.publish({ channel: 'band:b1', type: 'note', key: 'entity:1', data: { v } }, { transaction: t });
        if (slowMs) await new Promise((r) => setTimeout(r, slowMs));
        commits.push(v);
      });
    };
    for (let round = 0; round < 100; round++) await Promise.all([write(5), write(0), write(0)]);
    stop = true;
    await Promise.all(load);
    const socket = stockClient(sync.url, { token: 'tina' });
    while (true) {
      const [r] = await sync.database.query(`select count(*)::int c from sync_outbox`);
      if (r.c === 0) break;
    }
    const rows = await sync.database.query(
      `select (data->>'v')::int v from sync_message where channel = 'band:b1' order by "offset"`,
    );
    const got = rows.map((r: any) => r.v);
    const inversions = got.filter((v: number, i: number) => i > 0 && v < got[i - 1]).length;
    socket.disconnect();
    void Follower;
    expect({ total: got.length, inversions }).toEqual({ total: commits.length, inversions: 0 });
  });

  it('O2 Promise.all of publishes in one transaction keeps the order of the calls; savepoints', async () => {
    const b = sync.app.get(EventBroadcaster);
    await sync.database.transaction(async (t) => {
      await Promise.all(
        Array.from({ length: 100 }, (_, v) =>
          b.publish({ channel: 'band:b1', type: 'note', data: { v } }, { transaction: t }),
        ),
      );
      await t.transaction(async (inner) => {
        await b.publish({ channel: 'band:b1', type: 'note', data: { v: 100 } }, { transaction: inner });
      });
      await t
        .transaction(async (inner) => {
          await b.publish({ channel: 'band:b1', type: 'note', data: { v: -1 } }, { transaction: inner });
          throw new Error('x');
        })
        .catch(() => undefined);
      await b.publish({ channel: 'band:b1', type: 'note', data: { v: 101 } }, { transaction: t });
    });
    const tina = new Follower(stockClient(sync.url, { token: 'tina' }), 'band:b1');
    await tina.subscribe();
    await tina.count(102);
    tina.socket.disconnect();
    expect(tina.messages.map((m: any) => m.data.v)).toEqual(Array.from({ length: 102 }, (_, v) => v));
  });

  it('O3 odd data: lone surrogate, literal backslash-u0000, NUL in type', async () => {
    const b = sync.app.get(EventBroadcaster);
    const outcomes: Record<string, string> = {};
    for (const [name, m] of Object.entries({
      surrogate: { channel: 'band:b1', type: 'note', data: { t: '\ud800' } },
      literal: { channel: 'band:b1', type: 'note', data: { t: 'regex \\u0000' } },
      nulType: { channel: 'band:b1', type: 'no\0te', data: {} },
      nulKey: { channel: 'band:b1', type: 'note', key: 'a\0', data: {} },
    }))
      outcomes[name] = await b.publish(m as never).then(
        () => 'ok',
        (e: any) => String(e.code ?? e.message),
      );
    expect(outcomes).toEqual({
      surrogate: 'message_invalid',
      literal: 'ok',
      nulType: 'message_invalid',
      nulKey: 'message_invalid',
    });
  });

  it('O4 messages of ONE transaction keep the order of the calls and stay together, under load', async () => {
    const b = sync.app.get(EventBroadcaster);
    let stop = false;
    const load = [0, 1, 2].map(async () => {
      while (!stop) await b.publish({ channel: 'band:other', type: 'noise', data: {} });
    });
    for (let round = 0; round < 100; round++) {
      await sync.database.transaction(async (t) => {
        for (let k = 0; k < 4; k++) {
          await b.publish({ channel: 'band:b1', type: 'note', data: { v: round * 4 + k } }, { transaction: t });
          await new Promise((r) => setTimeout(r, 2));
        }
      });
    }
    stop = true;
    await Promise.all(load);
    while (true) {
      const [r] = await sync.database.query(`select count(*)::int c from sync_outbox`);
      if (r.c === 0) break;
    }
    const got = (
      await sync.database.query(`select (data->>'v')::int v from sync_message where channel = 'band:b1' order by "offset"`)
    ).map((r: any) => r.v);
    expect({ total: got.length, inversions: got.filter((v: number, i: number) => i > 0 && v < got[i - 1]).length }).toEqual({
      total: 400,
      inversions: 0,
    });
  });

  it('O5 the last saved version of a file is the one devices have, under load (FileSynchronizer itself)', async () => {
    const b = sync.app.get(EventBroadcaster);
    let stop = false;
    const load = [0, 1, 2].map(async () => {
      while (!stop) await b.publish({ channel: 'band:other', type: 'noise', data: {} });
    });
    for (let i = 0; i < 300; i++)
      await sync.save({ fileId: `f${i % 3}`, bandId: 'b1', path: 'x', audience: null, text: `t${i}` });
    await new Promise((r) => setTimeout(r, 500));
    stop = true;
    await Promise.all(load);
    for (;;) {
      const [r] = await sync.database.query(
        `select (select count(*) from sync_operation where status in ('pending','running','failed'))::int + (select count(*) from sync_outbox)::int c`,
      );
      if (r.c === 0) break;
    }
    const rows = await sync.database.query(
      `select key, (data->>'revision')::int v from sync_message where channel = 'band:b1' order by "offset"`,
    );
    const last = new Map<string, number>();
    let inversions = 0;
    for (const { key, v } of rows) {
      if ((last.get(key) ?? 0) > v) inversions++;
      last.set(key, v);
    }
    expect({ inversions, last: [...last.values()], many: rows.length > 20 }).toEqual({
      inversions: 0,
      last: [100, 100, 100],
      many: true,
    });
  });
});
