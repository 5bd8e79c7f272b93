import { jest } from '@jest/globals';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBroadcaster } from '@soleil/sync';
import { SyncClient } from '@soleil/sync-client';
import { SyncError, type Message, type Signalled } from '@soleil/sync-protocol';
import { Manager, type Socket } from 'socket.io-client';
import { Cable } from './support/cable.js';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const channel = 'band:b1';
const numbers = (messages: readonly Message[]): unknown[] => messages.map(({ data }) => data);
const upTo = (n: number, from = 0): number[] => Array.from({ length: n - from }, (_, index) => from + index);

describe('when something is missing', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  /** Between the server and its database, where a test cuts it. */
  let cable: Cable | null = null;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await cable?.remove();
    await database.drop();
  });

  const start = async (url = database.url): Promise<void> => {
    sync = await startSyncApp({ ...database, url }, { pollMs: 200, publishTimeoutMs: 1_000 });
    for (const user of ['tina', 'alma']) sync.band.join(user, 'b1', user === 'tina' ? 'trumpet' : 'alto sax');
  };
  const follower = (user: string, transports: string[] = ['websocket']): Follower => {
    const socket = stockClient(sync.url, { token: user }, { transports });
    sockets.push(socket);
    return new Follower(socket, channel);
  };
  const publish = (n: number): Promise<string> => sync.app.get(EventBroadcaster).publish({ channel, type: 'note', data: n });
  const publishAll = (of: number[]): Promise<string[]> =>
    sync.app.get(EventBroadcaster).publishAll(of.map((data) => ({ channel, type: 'note', data })));

  it('a client that floods is told to wait, then sent away, and nobody else feels it', async () => {
    sync = await startSyncApp(database, { framesPerSecond: 20 });
    for (const user of ['tina', 'alma']) sync.band.join(user, 'b1', 'trumpet');
    const [tina, alma] = [follower('tina'), follower('alma')];
    await Promise.all([tina.subscribe(), alma.subscribe()]);
    const closing = next<{ error: object; reconnect: boolean }>(tina.socket, 'closing');
    const ask = (): Promise<{ ok: boolean }> => tina.socket.timeout(5_000).emitWithAck('unsubscribe', { channel: 'system' });
    const answers = await Promise.all(Array.from({ length: 60 }, ask));
    expect(answers.at(0)).toMatchObject({ error: { code: 'not_subscribed' } });
    expect(answers.at(-1)).toMatchObject({ error: { code: 'rate_limited', details: { framesPerSecond: 20 } } });
    await publish(1);
    await Promise.all([tina.count(1), alma.count(1)]);
    for (let n = 0; n < 300; n++) tina.socket.emit('ping', { t: n });
    expect(await closing).toMatchObject({ error: { code: 'rate_limited', retryable: true }, reconnect: true });
    expect(alma.socket.connected).toBe(true);
  });

  it('a line over which somebody comes again and again is told to wait, then cut, and Auth is not asked for each', async () => {
    sync = await startSyncApp(database, { framesPerSecond: 20 });
    const asked = jest.spyOn(sync.band, 'token');
    const manager = new Manager(sync.url, { transports: ['websocket'], reconnection: false });
    // Another namespace keeps the line open whatever becomes of this one.
    manager.socket('/');
    let isCut = false;
    manager.on('close', () => (isCut = true));
    const socket = manager.socket('/sync', { auth: { protocol: 1, token: 'nobody', deviceId: 'device-of-nobody' } });
    const codes: string[] = [];
    while (!isCut) {
      const refused = next<Error & { data: { code: string } }>(socket, 'connect_error').then(({ data }) =>
        codes.push(data.code),
      );
      socket.connect();
      await Promise.race([refused, new Promise((resolve) => manager.once('close', resolve))]);
    }
    expect(new Set(codes)).toEqual(new Set(['token_invalid', 'rate_limited']));
    expect(asked.mock.calls.length).toBe(codes.filter((code) => code === 'token_invalid').length);
    expect(asked.mock.calls.length).toBeLessThan(codes.length / 2);
  });

  it('a device that leaves and comes again over the same line has no new budget', async () => {
    sync = await startSyncApp(database, { framesPerSecond: 20 });
    sync.band.join('tina', 'b1', 'trumpet');
    const manager = new Manager(sync.url, { transports: ['websocket'], reconnection: false });
    manager.socket('/');
    const socket = manager.socket('/sync', { auth: { protocol: 1, token: 'tina', deviceId: 'device-of-tina' } });
    sockets.push(socket);
    const ask = (): Promise<unknown> => socket.timeout(5_000).emitWithAck('unsubscribe', { channel });
    await Promise.all(Array.from({ length: 60 }, ask));
    socket.disconnect();
    // Answered after the goodbye was read.
    await next(manager.socket('/nowhere'), 'connect_error');
    const refused = next<Error & { data: unknown }>(socket, 'connect_error');
    socket.connect();
    expect((await refused).data).toMatchObject({ code: 'rate_limited', details: { retryAfterMs: expect.any(Number) } });
    manager.engine.close();
  });

  it('a server whose clock is set back keeps its devices', async () => {
    let setBackMs = 0;
    const realNow = Date.now;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => realNow() - setBackMs);
    try {
      await start();
      const device = follower('tina');
      await device.subscribe();
      setBackMs = 3_600_000;
      const answered = Promise.race([next(device.socket, 'pong'), next(device.socket, 'closing')]);
      device.socket.emit('ping', { t: 1 });
      expect(await answered).toMatchObject({ t: 1 });
      await publish(1);
      await device.count(1);
    } finally {
      clock.mockRestore();
    }
  });

  it('long polling has the same guarantees: all in order, once, and after a cut exactly what was missed', async () => {
    await start();
    const device = follower('tina', ['polling']);
    await device.subscribe();
    for (const n of upTo(20)) await publish(n);
    await publishAll(upTo(600, 20));
    await device.count(600);
    expect(device.socket.io.engine.transport.name).toBe('polling');
    device.socket.disconnect();
    await publishAll(upTo(900, 600));
    const back = follower('tina', ['polling']);
    await back.subscribe(device.position!);
    await publish(900);
    await back.count(301);
    expect([...numbers(device.messages), ...numbers(back.messages)]).toEqual(upTo(901));
  });

  it('a network that blocks WebSockets is lived with: the client takes long polling by itself', async () => {
    await start();
    const wall = await withoutWebSockets(sync.url);
    const client = new SyncClient({ url: wall.url, token: 'tina' });
    try {
      const seen: unknown[] = [];
      const complete = new Promise<void>((resolve) => {
        client.onMessage((_, { data }) => void (seen.push(data), seen.length === 50 && resolve()));
      });
      client.follow(channel);
      client.connect();
      await client.waitFor('live');
      for (const n of upTo(50)) await publish(n);
      await complete;
      expect(seen).toEqual(upTo(50));
      expect(wall.refused()).toBeGreaterThan(0);
    } finally {
      await client.close();
      await wall.close();
    }
  });

  it('Postgres silent: who subscribes is told so before a client would give up its connection', async () => {
    cable = await Cable.plug(() => database.url);
    await start(Object.assign(new URL(database.url), { port: new URL(cable.url).port }).href);
    const client = new SyncClient({ url: sync.url, token: 'tina' });
    try {
      client.follow(channel);
      client.connect();
      await client.waitFor('live');
      cable.swallow('everything');
      const refused = new Promise<unknown>((resolve) => {
        client.subscribe('band:b1:Bb', () => {
          const { error } = client.channel('band:b1:Bb');
          if (error) resolve(error);
        });
      });
      const lost = new Promise((resolve) => {
        client.subscribeConnection(() => client.connection.error && resolve(client.connection.error));
      });
      client.follow('band:b1:Bb');
      expect(await Promise.race([refused, lost])).toMatchObject({ code: 'database_unavailable' });
      cable.plugIn();
      await client.waitFor('live');
    } finally {
      cable.plugIn();
      await client.close();
    }
  });

  it.each([
    ['says that it cannot say', () => Promise.reject(new SyncError('database_unavailable', 'Auth’s is away as well.'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('signals flow while Auth, asked now and then whether it still is so, %s', async (_, answer) => {
    sync = await startSyncApp(database, { recheckMs: 1 });
    for (const user of ['tina', 'alma']) sync.band.join(user, 'b1', 'trumpet');
    const [tina, alma] = [follower('tina'), follower('alma')];
    await Promise.all([tina.subscribe(), alma.subscribe()]);
    const asked = new Set<string>();
    await new Promise<void>((resolve) => {
      jest.spyOn(sync.band, 'token').mockImplementation(({ token }) => {
        if (asked.add(token).size === 2) setImmediate(resolve);
        return answer();
      });
    });
    const signal = next<Signalled>(alma.socket, 'signal');
    expect(await tina.socket.timeout(5_000).emitWithAck('signal', { channel, type: 'page', data: 2 })).toEqual({ ok: true });
    expect(await signal).toMatchObject({ data: 2 });
  });

  it('Postgres away: sockets stay, signals flow, publishers are told to try again, and all goes on by itself', async () => {
    cable = await Cable.plug(() => database.url);
    const url = new URL(database.url);
    url.port = new URL(cable.url).port;
    await start(url.href);
    const [tina, alma] = [follower('tina'), follower('alma')];
    await Promise.all([tina.subscribe(), alma.subscribe()]);
    await publish(0);
    await Promise.all([tina.count(1), alma.count(1)]);

    cable.pull();
    const away = { code: 'database_unavailable', retryable: true };
    await expect(publish(1)).rejects.toMatchObject(away);
    await expect(publish(1)).rejects.toMatchObject(away);
    const signal = next<Signalled>(alma.socket, 'signal');
    expect(await tina.socket.timeout(5_000).emitWithAck('signal', { channel, type: 'page', data: 2 })).toEqual({ ok: true });
    expect(await signal).toMatchObject({ data: 2 });
    const other = await tina.socket.timeout(5_000).emitWithAck('subscribe', { channel: 'band:b1:Bb' });
    expect(other).toMatchObject({ ok: false, error: away });
    expect([tina.socket.connected, alma.socket.connected]).toEqual([true, true]);

    cable.plugIn();
    await published(() => publish(1));
    await Promise.all([tina.count(2), alma.count(2)]);
    expect([numbers(tina.messages), numbers(alma.messages)]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });
});

/** Repeats what the error says may be repeated, as a publisher would. */
async function published(publish: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await publish();
      return;
    } catch (error) {
      expect(error).toMatchObject({ retryable: true });
    }
  }
}

/** A way to the server on which plain HTTP passes, and nothing else. */
async function withoutWebSockets(
  target: string,
): Promise<{ url: string; refused: () => number; close: () => Promise<void> }> {
  let refused = 0;
  const { port } = new URL(target);
  const server: Server = createServer((incoming, answer) => {
    const { method, url, headers } = incoming;
    const passed = request({ host: '127.0.0.1', port, method, path: url, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      response.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  server.on('upgrade', (_, socket) => {
    refused += 1;
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused: () => refused,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
