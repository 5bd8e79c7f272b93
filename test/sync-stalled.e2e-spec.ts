import type { Server as HttpServer } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { EventBroadcaster, WebSocketGateway, type ConnectionInfo } from '@soleil/sync';
import type { Namespace } from 'socket.io';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const channel = 'band:b1';
const mebibyte = 1024 * 1024;
/** More than both ends of a connection on this machine hold in the kernel. */
const messages = 120;
const text = 'x'.repeat(250_000);

/** Whoever takes nothing off the line, whatever else it does, is held a window's worth by the server, and no more. */
describe('a device that does not read', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  /** The server's half of each TCP connection. */
  const ends = new Set<TcpSocket>();
  const sockets: Socket[] = [];
  const stalled: TcpSocket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, { framesPerSecond: 100_000 });
    (sync.app.getHttpServer() as HttpServer).on('connection', (end: TcpSocket) => {
      ends.add(end);
      end.once('close', () => ends.delete(end));
    });
    for (const user of ['tina', 'alma']) sync.band.join(user, 'b1', 'trumpet');
  });
  afterEach(async () => {
    for (const end of stalled.splice(0)) end.destroy();
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const follower = (user: string, acknowledge = true): Follower => {
    const socket = stockClient(sync.url, { token: user });
    sockets.push(socket);
    return new Follower(socket, channel, acknowledge);
  };
  const publish = (n: number): Promise<string> =>
    sync.app.get(EventBroadcaster).publish({ channel, type: 'note', key: `k${n % 10}`, data: { n, text } });
  const tcpOf = (socket: Socket): TcpSocket =>
    (socket.io.engine.transport as unknown as { ws: { _socket: TcpSocket } }).ws._socket;
  const stall = (socket: Socket): void => {
    const end = tcpOf(socket);
    stalled.push(end.pause());
  };
  /** Bytes that this process holds for its devices, between what it was told and the kernel. */
  const heldBytes = (): number => {
    const { namespace } = sync.app.get<unknown, { namespace: Namespace }>(WebSocketGateway);
    const queued = [...namespace.sockets.values()].flatMap(
      ({ conn }) => (conn as unknown as { writeBuffer: { data?: string }[] }).writeBuffer,
    );
    return (
      [...ends].reduce((sum, end) => sum + end.writableLength, 0) +
      queued.reduce((sum, { data }) => sum + (data?.length ?? 0), 0)
    );
  };
  const infoOf = (user: string): ConnectionInfo | undefined =>
    sync.app
      .get(WebSocketGateway)
      .connected()
      .find(({ userId }) => userId === user);
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  };
  const answered = (socket: Socket): Promise<unknown> => {
    const pong = next(socket, 'pong');
    socket.emit('ping', { t: 1 });
    return pong;
  };

  it('but acknowledges is sent no more than its window, and has everything in order once it reads', async () => {
    const [greedy, honest] = [follower('tina', false), follower('alma')];
    await Promise.all([greedy.subscribe(), honest.subscribe()]);
    stall(greedy.socket);
    let most = 0;
    for (let n = 1; n <= messages; n++) {
      await publish(n);
      await honest.count(n);
      for (let offset = 1; offset <= n; offset++) greedy.socket.emit('ack', { channel, offset });
      await answered(honest.socket);
      most = Math.max(most, heldBytes());
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(mebibyte);
    tcpOf(greedy.socket).resume();
    greedy.socket.on('messages', ({ to }: { to: number }) => greedy.socket.emit('ack', { channel, offset: to }));
    await greedy.until(({ position }) => position?.offset === messages);
    for (const [nth, frame] of greedy.frames.entries())
      expect(frame.from).toBe(nth === 0 ? 1 : greedy.frames[nth - 1]!.to + 1);
  });

  it('but follows the channel anew, again and again, is sent no more than its window', async () => {
    const honest = follower('alma');
    await honest.subscribe();
    for (let n = 1; n <= 10; n++) await publish(n);
    await honest.until(({ position }) => position?.offset === 10);
    const greedy = follower('tina', false);
    await greedy.subscribe();
    stall(greedy.socket);
    let most = 0;
    for (let n = 1; n <= messages; n++) {
      greedy.socket.emit('unsubscribe', { channel });
      await until(() => infoOf('tina')!.channels.length === 0);
      greedy.socket.emit('subscribe', { channel });
      // It is sent the state, or that has to wait.
      await until(() => infoOf('tina')!.unacknowledgedBytes > 0 || heldBytes() >= 32 * 1024);
      most = Math.max(most, heldBytes());
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(mebibyte);
  });

  it('over long polling, but acknowledges, is held no more than its window', async () => {
    const url = `${sync.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
    const say = (...packets: string[]): Promise<Response> =>
      fetch(`${url}&sid=${sid}`, { method: 'POST', body: packets.map((packet) => `4${packet}`).join('\u001e') });
    await say(`0/sync,${JSON.stringify({ token: 'tina', deviceId: 'device-of-tina', protocol: 1 })}`);
    await until(() => infoOf('tina')?.channels.length === 0);
    await say(`2/sync,${JSON.stringify(['subscribe', { channel }])}`);
    await until(() => infoOf('tina')?.channels.length === 1);
    const honest = follower('alma');
    await honest.subscribe();
    let most = 0;
    for (let n = 1; n <= messages; n++) {
      await publish(n);
      await honest.count(n);
      await say(`2/sync,${JSON.stringify(['ack', { channel, offset: n }])}`);
      most = Math.max(most, heldBytes());
    }
    expect(most).toBeGreaterThan(text.length);
    expect(most).toBeLessThan(mebibyte);
  });

  it('but asks on and on is sent away', async () => {
    const [greedy, honest] = [follower('tina', false), follower('alma')];
    await Promise.all([greedy.subscribe(), honest.subscribe()]);
    const end = [...ends].find(({ remotePort }) => remotePort === tcpOf(greedy.socket).localPort);
    const gone = new Promise((resolve) => end!.once('close', resolve));
    stall(greedy.socket);
    // The answer names what does not fit.
    const misfit = { scope: 'x', id: 7, mode: 'x'.repeat(100), ['x'.repeat(100)]: true };
    let most = 0;
    while (sync.app.get(WebSocketGateway).connected().length > 1) {
      for (let n = 0; n < 500; n++) greedy.socket.emit('sync_request', misfit, () => undefined);
      await answered(honest.socket);
      most = Math.max(most, heldBytes());
    }
    expect(most).toBeLessThan(1.25 * mebibyte);
    await gone;
    expect(heldBytes()).toBe(0);
  });
});
