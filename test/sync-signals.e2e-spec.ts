import { EventBroadcaster } from '@soleil/sync';
import type { Signalled } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const channel = 'band:b1';

describe('signals', () => {
  let database: TestDatabase;
  let nodes: SyncApp[];
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    const band = new SmallBand();
    for (const user of ['tina', 'alma', 'pete']) band.join(user, 'b1', user === 'tina' ? 'trumpet' : 'alto sax');
    nodes = [await startSyncApp(database, { pollMs: 200 }, band), await startSyncApp(database, { pollMs: 200 }, band)];
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    for (const { close } of nodes) await close();
    await database.drop();
  });

  const device = async (user: string, node = 0, which = channel, acknowledges = true) => {
    const socket = stockClient(nodes[node]!.url, { token: user });
    sockets.push(socket);
    const signals: Signalled[] = [];
    socket.on('signal', (signal: Signalled) => signals.push(signal));
    const follower = new Follower(socket, which, acknowledges);
    await follower.subscribe();
    const say = (data: unknown, extra: object = {}): Promise<unknown> =>
      socket.timeout(5_000).emitWithAck('signal', { channel: which, type: 'page', data, ...extra });
    return { socket, follower, signals, say };
  };

  it('reach who follows the channel, on every node, with who sent them, and not the sender', async () => {
    const [tina, alma, pete] = [await device('tina'), await device('alma'), await device('pete', 1)];
    const elsewhere = await device('tina', 0, 'band:b1:Bb');
    const [near, far] = [next<Signalled>(alma.socket, 'signal'), next<Signalled>(pete.socket, 'signal')];
    expect(await tina.say({ page: 3 }, { key: 'all-of-me' })).toEqual({ ok: true });
    const told = { channel, type: 'page', key: 'all-of-me', data: { page: 3 }, from: { userId: 'tina' } };
    expect(await Promise.all([near, far])).toEqual([told, told]);
    expect([tina.signals, elsewhere.signals]).toEqual([[], []]);
  });

  it('of the server come without a sender, and reach devices that are far behind as well', async () => {
    const broadcaster = nodes[0]!.app.get(EventBroadcaster);
    const tina = await device('tina', 0, channel, false);
    await broadcaster.publishAll(
      Array.from({ length: 40 }, (_, n) => ({ channel, type: 'note', data: `${n} ${'x'.repeat(1_000)}` })),
    );
    await tina.follower.count(1);
    const signal = next<Signalled>(tina.socket, 'signal');
    broadcaster.signal({ channel, type: 'progress', key: 'op-1', data: { done: 1, of: 2 } });
    expect(await signal).toEqual({ channel, type: 'progress', key: 'op-1', data: { done: 1, of: 2 } });
  });

  it('wait while a device acknowledges nothing, the latest of each name only, and none is older than what was sent', async () => {
    const broadcaster = nodes[0]!.app.get(EventBroadcaster);
    const tina = await device('tina', 0, channel, false);
    await broadcaster.publishAll(
      Array.from({ length: 100 }, (_, n) => ({ channel, type: 'note', data: `${n} ${'x'.repeat(2_000)}` })),
    );
    // Its window is full once it has been sent half of it: nothing more comes.
    await tina.follower.until(({ frames }) => JSON.stringify(frames).length > 32 * 1024);
    const pete = await device('pete', 0);
    const seen = new Promise<void>((resolve) => {
      pete.socket.on('signal', ({ data }: Signalled) => data === 99 && resolve());
    });
    for (let n = 0; n < 100; n++) broadcaster.signal({ channel, type: 'progress', key: `op-${n % 2}`, data: n });
    await seen;
    const before = tina.signals.length;
    const both = new Promise<void>((resolve) => {
      tina.socket.on('signal', () => new Set(tina.signals.map(({ key }) => key)).size === 2 && resolve());
    });
    tina.socket.on('messages', ({ to }: { to: number }) => tina.socket.emit('ack', { channel, offset: to }));
    tina.socket.emit('ack', { channel, offset: tina.follower.position!.offset });
    if (before < 2) await both;
    expect(tina.signals.length).toBeLessThan(10);
    expect(tina.signals.slice(-2).map(({ data }) => data)).toEqual([98, 99]);
  });

  it('are refused where the sender does not follow, for everybody at once, or too large; the connection lives on', async () => {
    const tina = await device('tina');
    const say = (frame: object): Promise<unknown> => tina.socket.timeout(5_000).emitWithAck('signal', frame);
    expect(await say({ channel: 'band:b2', type: 'page', data: 1 })).toMatchObject({ error: { code: 'not_subscribed' } });
    await device('tina', 0, 'system');
    const system = await device('alma', 0, 'system');
    expect(await system.say('hello')).toMatchObject({ error: { code: 'channel_forbidden' } });
    expect(await tina.say('x'.repeat(5_000))).toMatchObject({ error: { code: 'message_too_large' } });
    expect(await tina.say(1)).toEqual({ ok: true });
  });

  it('go on while Postgres is away, on the node they are sent to', async () => {
    const [tina, alma] = [await device('tina'), await device('alma')];
    await database.drop();
    const signal = next<Signalled>(alma.socket, 'signal');
    expect(await tina.say({ page: 4 })).toEqual({ ok: true });
    expect(await signal).toMatchObject({ data: { page: 4 } });
  });

  it('that are sent once a right has ended, however soon, reach its user on no node', async () => {
    const broadcaster = nodes[0]!.app.get(EventBroadcaster);
    const pete = await device('pete', 1);
    for (let n = 0; n < 20; n++) {
      const [near, far] = [await device('tina', 0), await device('tina', 1)];
      const revoked = Promise.all([near, far].map(({ socket }) => next(socket, 'revoked')));
      const seen = next<Signalled>(pete.socket, 'signal');
      await nodes[n % 2]!.changeRights('tina', 'b1', null);
      broadcaster.signal({ channel, type: 'page', data: n });
      expect(await seen).toMatchObject({ data: n });
      await revoked;
      expect([...near.signals, ...far.signals]).toEqual([]);
      for (const { socket } of [near, far]) socket.disconnect();
      await nodes[0]!.changeRights('tina', 'b1', { instrument: 'trumpet', role: 'member' });
    }
  });

  it('stop at the end of a right', async () => {
    const [tina, pete] = [await device('tina', 1), await device('pete')];
    const revoked = next(tina.socket, 'revoked');
    await nodes[0]!.changeRights('tina', 'b1', null);
    await revoked;
    const last = await device('alma', 1);
    const seen = next(last.socket, 'signal');
    await pete.say('after');
    await seen;
    expect(tina.signals).toEqual([]);
    expect(await tina.say('still here?')).toMatchObject({ error: { code: 'not_subscribed' } });
  });
});
