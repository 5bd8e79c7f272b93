import { EventBroadcaster } from '@soleil/sync';
import { CodedError, OnQuestion } from '@soleil/bus';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';
const tick = (ms: number) => new Promise((r) => setTimeout(r, ms));

class FlakyBand extends SmallBand {
  failures = 0;
  asked = 0;
  block: Promise<unknown> | null = null;
  delayMs = 0;
  @OnQuestion('drive.file_requested')
  override file(ask: any): any {
    this.asked++;
    if (this.failures > 0) {
      this.failures--;
      throw new CodedError({ code: 'revision_gone', message: 'x', remedy: 'x', status: 409, retryable: true });
    }
    const state = super.file(ask);
    if (this.delayMs) return tick(Math.random() * this.delayMs).then(() => state);
    return this.block ? this.block.then(() => state) : state;
  }
}
const file = (text: string, audience: string | null = null, fileId = 'f1') => ({
  fileId,
  bandId: 'b1',
  path: 'x',
  audience,
  text,
});

describe('breaker: operations', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  let band: FlakyBand;
  const start = async (options = {}) => {
    sync = await startSyncApp(database, options, band);
  };
  beforeEach(async () => {
    database = await syncDatabase();
    band = new FlakyBand();
    band.join('tina', 'b1', 'trumpet');
    band.join('lea', 'b1', 'piano', 'leader');
  });
  afterEach(async () => {
    await sync.close();
    await database.drop();
  });

  it('P1 news that joins a failed operation has its own attempts', async () => {
    await start({ retryBaseMs: 60_000 });
    band.failures = 3;
    await sync.save(file('one'));
    while (band.asked < 1) await tick(5);
    await tick(100);
    await sync.save(file('two'));
    while (band.asked < 2) await tick(5);
    await tick(100);
    await sync.save(file('three'));
    while (band.asked < 3) await tick(5);
    await tick(500);
    const ops = await sync.database.query(`select status, attempts from sync_operation`);
    // one save, one failing look: it must be waiting for a retry, not dead
    expect(ops).toEqual([expect.objectContaining({ status: 'failed' })]);
  });

  it('P2 what devices hold can be downloaded by its revision', async () => {
    await start();
    await sync.save(file('A'));
    const tina = new Follower(stockClient(sync.url, { token: 'tina' }), 'band:b1');
    await tina.subscribe();
    await tina.count(1);
    // B and back to A while the workers are away for a moment (coalesced)
    let open!: () => void;
    band.block = new Promise<void>((r) => (open = r as never));
    band.files.get('f1')!.revision = 3; // A (1) -> B (2) -> A (3)
    await sync.tell('drive.file_changed', 'f1');
    open();
    band.block = null;
    while (true) {
      const [r] = await sync.database.query(
        `select count(*)::int c from sync_operation where status in ('pending','running')`,
      );
      if (r.c === 0) break;
    }
    await tick(500);
    tina.socket.disconnect();
    expect((tina.messages.at(-1)!.data as any).revision).toBe(3);
  });

  it('P3 several engines, slow workers, expiring leases, redelivered events, switching audiences: final version, right order', async () => {
    const apps: SyncApp[] = [];
    band.delayMs = 20;
    sync = await startSyncApp(database, { retryBaseMs: 20, attempts: 50 }, band);
    apps.push(
      await startSyncApp(database, { retryBaseMs: 20, attempts: 50 }, band),
      await startSyncApp(database, { retryBaseMs: 20, attempts: 50 }, band),
    );
    try {
      const lea: Record<string, Follower> = {};
      const socket = stockClient(sync.url, { token: 'lea' });
      for (const c of ['band:b1', 'band:b1:Bb', 'band:b1:Eb']) {
        lea[c] = new Follower(socket, c);
        await lea[c]!.subscribe();
      }
      const audiences = ['Bb', 'Eb', null];
      const all = [sync, ...apps];
      let stop = false;
      // expire leases at random: zombies
      const saboteur = (async () => {
        while (!stop) {
          await sync.database.query(
            `update sync_operation set lease_until = clock_timestamp() - interval '1 s' where status = 'running' and random() < 0.3`,
          );
          await tick(15);
        }
      })();
      for (let i = 0; i < 400; i++) {
        const id = `f${i % 5}`;
        const where = all[i % 3]!;
        const before = band.files.get(id);
        band.files.set(id, {
          ...file(`t${i}`, audiences[(i * 7) % 3]!, id),
          revision: (before?.revision ?? 0) + 1,
          removed: i % 11 === 0,
        });
        const event = `e${i}`;
        const name = before ? 'drive.file_changed' : 'drive.file_added';
        if (i % 20 === 0) band.failures++;
        await Promise.all([where.tell(name, id, event), all[(i + 1) % 3]!.tell(name, id, event)]);
      }
      await tick(1000);
      stop = true;
      await saboteur;
      for (;;) {
        const [r] = await sync.database.query(
          `select (select count(*) from sync_operation where status in ('pending','running','failed'))::int + (select count(*) from sync_outbox)::int c`,
        );
        if (r.c === 0) break;
        await tick(50);
      }
      await tick(1200);
      socket.disconnect();
      const dead = await sync.database.query(`select count(*)::int c from sync_operation where status = 'dead'`);
      const state: Record<string, string[]> = {};
      for (const [c, f] of Object.entries(lea)) {
        const rows = new Map<string, any>();
        let lastRev = new Map<string, number>();
        for (const m of f.messages) {
          if (m.data === null) rows.delete(m.key!);
          else {
            rows.set(m.key!, m.data);
            const d: any = m.data;
            if ((lastRev.get(m.key!) ?? 0) >= d.revision) throw new Error(`order ${c} ${m.key}`);
            lastRev.set(m.key!, d.revision);
          }
        }
        f.messages.forEach((m, i) => {
          if (m.offset !== i + 1) throw new Error('gap');
        });
        for (const [k, d] of rows) (state[k] ??= []).push(`${c}=${d.content.text}`);
      }
      const wanted: Record<string, string[]> = {};
      for (const f of band.files.values())
        if (!f.removed) wanted[`file:${f.fileId}`] = [`band:b1${f.audience ? ':' + f.audience : ''}=${f.text}`];
      expect({ state, dead: dead[0].c }).toEqual({ state: wanted, dead: 0 });
    } finally {
      for (const a of apps) await a.close();
    }
  });

  it('P4 an operation that kills its worker every time is dead after the last attempt', async () => {
    await start();
    let open!: () => void;
    band.block = new Promise<void>((r) => (open = r as never));
    await sync.save(file('A'));
    for (let i = 0; i < 6; i++) {
      await tick(250);
      // the worker's process dies
      const { SyncEngine } = await import('@soleil/sync');
      (sync.app.get(SyncEngine) as any).held.clear();
      await sync.database.query(
        `update sync_operation set lease_until = clock_timestamp() - interval '1 s' where status = 'running'`,
      );
      await tick(1400);
    }
    const ops = await sync.database.query(`select status, attempts from sync_operation`);
    open();
    band.block = null;
    expect(ops).toEqual([expect.objectContaining({ status: 'dead' })]);
  }, 60_000);

  it('P5 a question that is never answered does not hold a file for ever (statement only: shows the operation stays running)', async () => {
    await start({ workers: 1 });
    let open!: () => void;
    band.block = new Promise<void>((r) => (open = r as never));
    await sync.save(file('A'));
    await tick(300);
    band.block = null;
    await sync.save(file('B', null, 'f2'));
    await tick(9000);
    const ops = await sync.database.query(`select file_id, status, attempts from sync_operation order by created_at`);
    open();
    expect(ops.find((o: any) => o.file_id === 'f2').status).toBe('completed');
  }, 30_000);

  it('P6 a full sync of a large band does not run the database out of locks', async () => {
    await start();
    for (let i = 0; i < 100; i++) void i;
    const r = await sync.database
      .transaction((t) =>
        t.query(`select count(pg_advisory_xact_lock(hashtextextended('file:' || i, 0))) from generate_series(1, 60000) i`),
      )
      .then(
        () => 'ok',
        (e: any) => e.message,
      );
    const [{ max }] = await sync.database.query(
      `select current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int) as max`,
    );
    expect({ r, max }).toEqual({ r: 'ok', max });
  });

  it('P7 who asked for a sync can look at the operation they were given', async () => {
    await start();
    let open!: () => void;
    await sync.save(file('A'));
    await tick(500);
    band.block = new Promise<void>((r) => (open = r as never));
    await sync.save(file('B')); // running, blocked
    await tick(200);
    await sync.save(file('C')); // waiting
    const socket = stockClient(sync.url, { token: 'tina' });
    const a: any = await socket.timeout(5000).emitWithAck('sync_request', { scope: 'file', id: 'f1', mode: 'delta' });
    const r = await fetch(`${sync.url}/sync/operations/${a.operationId}`, { headers: { authorization: 'Bearer tina' } });
    open();
    band.block = null;
    socket.disconnect();
    expect({ ok: a.ok, status: r.status }).toEqual({ ok: true, status: 200 });
    void EventBroadcaster;
  });
});
