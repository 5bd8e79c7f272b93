import { EventBroadcaster } from '@soleil/sync';
import { OnQuestion } from '@soleil/bus';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const tick = (ms: number) => new Promise((r) => setTimeout(r, ms));

/** Auth that has read the memberships, and whose answer is under way for as long as the test wants. */
class SlowBand extends SmallBand {
  gates: { answerAfter: Promise<unknown> }[] = [];
  asked = 0;
  ended = new Set<string>();
  @OnQuestion('auth.token_presented')
  override token(ask: any): any {
    const p = super.token(ask);
    if (this.ended.has(p.sessionId)) throw new Error('session_ended');
    return p;
  }
  @OnQuestion('auth.memberships_requested')
  override membershipsOf(ask: any): any {
    this.asked++;
    const answer = { memberships: [...(this.memberships.get(ask.userId) ?? [])] };
    const gate = this.gates.shift();
    return gate ? gate.answerAfter.then(() => answer) : answer;
  }
  hold(): () => void {
    let open!: () => void;
    this.gates.push({ answerAfter: new Promise<void>((r) => (open = r)) });
    return open;
  }
  pass(): void {
    this.gates.push({ answerAfter: Promise.resolve() });
  }
}

describe('breaker: access', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  let band: SlowBand;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    database = await syncDatabase();
    band = new SlowBand();
    sync = await startSyncApp(database, {}, band);
    band.join('tina', 'b1', 'trumpet');
    band.join('alma', 'b1', 'alto sax');
    band.join('lea', 'b1', 'piano', 'leader');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });
  const connect = (user: string, url = sync.url): Socket => {
    const s = stockClient(url, { token: user });
    sockets.push(s);
    return s;
  };
  const publish = (channel: string, n: number) =>
    sync.app.get(EventBroadcaster).publish({ channel: channel as never, type: 'note', data: { n } });
  const permission = (userId: string) =>
    sync.bus.publish('auth.permission_updated', { userId, bandId: 'b1', at: new Date().toISOString() });

  it('A1 an older answer about rights does not overwrite a newer one', async () => {
    const tina = new Follower(connect('tina'), 'band:b1');
    await tina.subscribe();
    const open = band.hold();
    const first = permission('tina'); // reads "member", answer delayed
    while (band.gates.length) await tick(1);
    band.memberships.set('tina', []);
    const revoked = next(tina.socket, 'revoked');
    await permission('tina'); // reads "no member", answers at once
    await revoked;
    open();
    await first;
    const answer = await tina.subscribe();
    await publish('band:b1', 1);
    await tick(300);
    expect({ ok: answer.ok, got: tina.messages.length }).toEqual({ ok: false, got: 0 });
  });

  it('A2 a session that ends while it is being admitted gets no socket', async () => {
    const open = band.hold();
    const socket = connect('tina');
    while (band.gates.length) await tick(1);
    band.ended.add('session-of-tina');
    await sync.bus.publish('auth.user_logged_out', { userId: 'tina', sessionId: 'session-of-tina', at: '' });
    const outcome = Promise.race([
      next(socket, 'connect').then(() => 'connected'),
      next(socket, 'connect_error').then(() => 'refused'),
    ]);
    open();
    const what = await outcome;
    await tick(500);
    let got = -1;
    if (socket.connected) {
      const f = new Follower(socket, 'band:b1');
      await f.subscribe();
      await publish('band:b1', 1);
      await tick(500);
      got = f.messages.length;
    }
    expect({ what, connected: socket.connected, got }).toEqual({ what: 'refused', connected: false, got: -1 });
  });

  it('A3 what is published after a right was taken away is not sent while Auth is slow', async () => {
    const tina = new Follower(connect('tina'), 'band:b1');
    await tina.subscribe();
    await tick(100);
    band.memberships.set('tina', []);
    const open = band.hold();
    const refreshing = permission('tina');
    while (band.gates.length) await tick(1);
    await publish('band:b1', 1);
    await tick(500);
    const leaked = tina.messages.length;
    open();
    await refreshing;
    expect(leaked).toBe(0);
  });

  it('A4 a sign-out on one node reaches the other node although its LISTEN connection was away', async () => {
    const other = await startSyncApp(database, {}, band);
    try {
      const socket = connect('tina', other.url);
      const tina = new Follower(socket, 'band:b1');
      await tina.subscribe();
      const rows = await sync.database.query(
        `select pid, query, application_name from pg_stat_activity where datname = current_database() and query like 'listen %'`,
      );
      await sync.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`,
      );
      band.ended.add('session-of-tina');
      await sync.bus.publish('auth.user_logged_out', { userId: 'tina', sessionId: 'session-of-tina', at: '' });
      await tick(4000);
      await publish('band:b1', 1);
      await tick(1500);
      expect({ listeners: rows.length, connected: socket.connected, got: tina.messages.length }).toEqual({
        listeners: 2,
        connected: false,
        got: 0,
      });
    } finally {
      await other.close();
    }
  });

  it('A4b a revocation on one node reaches the other although NOTIFY failed once / teller died', async () => {
    const other = await startSyncApp(database, {}, band);
    try {
      const socket = connect('tina', other.url);
      const tina = new Follower(socket, 'band:b1');
      await tina.subscribe();
      band.memberships.set('tina', []);
      // the node that took the right away dies after its commit, before its hint: nothing is told
      await tick(4000);
      await publish('band:b1', 1);
      await tick(1500);
      expect({ got: tina.messages.length }).toEqual({ got: 0 });
    } finally {
      await other.close();
    }
  });

  it('A5 a leader does not see in which other bands a member is', async () => {
    band.join('tina', 'secret-band', 'trumpet');
    const a = new Follower(connect('tina'), 'band:b1');
    await a.subscribe();
    await new Follower(a.socket, 'band:secret-band').subscribe();
    const r = await fetch(`${sync.url}/sync/status`, { headers: { authorization: 'Bearer lea' } });
    const text = await r.text();
    expect(text).not.toContain('secret-band');
  });

  it('A5b a leader does not see session ids of others', async () => {
    const a = new Follower(connect('tina'), 'band:b1');
    await a.subscribe();
    const r = await fetch(`${sync.url}/sync/status`, { headers: { authorization: 'Bearer lea' } });
    expect(await r.text()).not.toContain('session-of-tina');
  });

  it('A6 the limit of devices holds for devices that come at once', async () => {
    await sync.close();
    sync = await startSyncApp(database, { devicesPerUser: 2 }, band);
    const opens = Array.from({ length: 12 }, () => band.hold());
    const all = Array.from({ length: 12 }, () => connect('tina'));
    while (band.gates.length) await tick(1);
    for (const open of opens) open();
    await Promise.all(all.map((s) => Promise.race([next(s, 'connect'), next(s, 'connect_error')])));
    await tick(200);
    expect(all.filter((s) => s.connected).length).toBeLessThanOrEqual(2);
  });

  it('A7 subscribe/unsubscribe storms while messages arrive: no doubles, no holes, no leak after unsubscribe', async () => {
    const tina = connect('tina');
    let subscribed = false;
    let position: any;
    const seen: number[] = [];
    let bad: string[] = [];
    tina.on('messages', (f: any) => {
      if (!subscribed) {
        bad.push(`frame after unsubscribe answer ${f.from}..${f.to}`);
        return;
      }
      if (position && f.from !== position.offset + 1) bad.push(`from ${f.from} at ${position.offset}`);
      for (const m of f.messages) seen.push(m.data.n);
      position = { epoch: f.epoch, offset: f.to };
      tina.emit('ack', { channel: 'band:b1', offset: f.to });
    });
    tina.on('reset', () => bad.push('reset'));
    let stop = false;
    let n = 0;
    const publisher = (async () => {
      while (!stop) {
        await publish('band:b1', n++);
      }
    })();
    for (let i = 0; i < 150; i++) {
      subscribed = true;
      const s: any = await tina
        .timeout(5000)
        .emitWithAck('subscribe', { channel: 'band:b1', ...(position ? { position } : {}) });
      if (!s.ok) bad.push(JSON.stringify(s));
      await tick(Math.random() * 8);
      const u: any = await tina.timeout(5000).emitWithAck('unsubscribe', { channel: 'band:b1' });
      subscribed = false;
      if (!u.ok) bad.push(JSON.stringify(u));
      // pipelined: subscribe, unsubscribe, subscribe, unsubscribe without awaiting
      if (i % 10 === 0) {
        const sub = () =>
          tina.timeout(5000).emitWithAck('subscribe', { channel: 'band:b1', ...(position ? { position } : {}) });
        subscribed = true;
        await Promise.all([
          sub(),
          tina.timeout(5000).emitWithAck('unsubscribe', { channel: 'band:b1' }),
          sub(),
          tina.timeout(5000).emitWithAck('unsubscribe', { channel: 'band:b1' }),
        ]);
        subscribed = false;
      }
    }
    stop = true;
    await publisher;
    subscribed = true;
    await tina.timeout(5000).emitWithAck('subscribe', { channel: 'band:b1', ...(position ? { position } : {}) });
    const until = Date.now() + 8000;
    while (seen.length < n && Date.now() < until) await tick(20);
    expect(bad).toEqual([]);
    expect(seen).toEqual(Array.from({ length: n }, (_, i) => i));
  });
});
