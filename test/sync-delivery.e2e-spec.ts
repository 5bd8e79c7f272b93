import { jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { EventBroadcaster } from '@soleil/sync';
import type { MessagesFrame } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import { LogReader } from '../libs/sync/src/log/log-reader.js';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

describe('delivery', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database);
    sync.band.join('tina', 'b1', 'trumpet');
    sync.band.join('alma', 'b1', 'alto sax');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const follow = (user: string, channel: string): Follower => {
    const socket = stockClient(sync.url, { token: user });
    sockets.push(socket);
    return new Follower(socket, channel);
  };
  const publish = (channel: string, n: number, key?: string): Promise<string> =>
    sync.app.get(EventBroadcaster).publish({ channel, type: 'note', key, data: { n } });
  const at =
    (offset: number) =>
    ({ position }: Follower): boolean =>
      position?.offset === offset;
  const numbers = (follower: Follower): number[] => follower.messages.map((message) => (message.data as { n: number }).n);

  it('brings a published message to every member who follows the channel', async () => {
    const [tina, alma] = [follow('tina', 'band:b1'), follow('alma', 'band:b1')];
    await Promise.all([tina.subscribe(), alma.subscribe()]);
    await publish('band:b1', 1);
    const [a, b] = await Promise.all([tina.count(1), alma.count(1)]);
    expect(a).toEqual(b);
    expect(a[0]).toMatchObject({ offset: 1, type: 'note', data: { n: 1 } });
  });

  it('numbers each channel gap-free and tells what one transaction published in the order of the calls', async () => {
    const tina = follow('tina', 'band:b1');
    await tina.subscribe();
    const broadcaster = sync.app.get(EventBroadcaster);
    await sync.database.transaction(async (transaction) => {
      for (let n = 1; n <= 50; n++)
        await broadcaster.publish({ channel: 'band:b1', type: 'note', data: { n } }, { transaction });
    });
    await tina.count(50);
    expect(tina.messages.map(({ offset }) => offset)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(numbers(tina)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('never shows what was rolled back', async () => {
    const tina = follow('tina', 'band:b1');
    await tina.subscribe();
    const broadcaster = sync.app.get(EventBroadcaster);
    await expect(
      sync.database.transaction(async (transaction) => {
        await broadcaster.publish({ channel: 'band:b1', type: 'note', data: { n: 1 } }, { transaction });
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    await publish('band:b1', 2);
    await tina.count(1);
    expect(numbers(tina)).toEqual([2]);
    expect(tina.messages[0]!.offset).toBe(1);
  });

  it('does not skip a transaction that commits late', async () => {
    const tina = follow('tina', 'band:b1');
    await tina.subscribe();
    const broadcaster = sync.app.get(EventBroadcaster);
    await sync.database.transaction(async (transaction) => {
      await broadcaster.publish({ channel: 'band:b1', type: 'note', data: { n: 1 } }, { transaction });
      await publish('band:b1', 2);
      await tina.count(1);
    });
    await tina.count(2);
    expect(numbers(tina)).toEqual([2, 1]);
  });

  it('tells two transactions about one entity in the order of their commits, when the first was late', async () => {
    const tina = follow('tina', 'band:b1');
    await tina.subscribe();
    const broadcaster = sync.app.get(EventBroadcaster);
    const early = sync.database.createQueryRunner();
    const brake = sync.database.createQueryRunner();
    try {
      await early.startTransaction();
      await broadcaster.publish(
        { channel: 'band:b1', type: 'note', key: 'e', data: { n: 1 } },
        { transaction: early.manager },
      );
      // Numbered already, though stored after it.
      await publish('band:b1', 0);
      await tina.count(1);
      // The sequencer stands still while both transactions about the entity commit, one after the other.
      await brake.startTransaction();
      await brake.query('select * from sync_leader for update');
      await early.commitTransaction();
      await publish('band:b1', 2, 'e');
      await brake.commitTransaction();
      await tina.count(3);
      expect(numbers(tina)).toEqual([0, 1, 2]);
    } finally {
      await early.release();
      await brake.release();
    }
  });

  it('replays exactly what was committed while the member was away', async () => {
    const first = follow('tina', 'band:b1');
    await first.subscribe();
    await publish('band:b1', 1);
    await first.count(1);
    const position = first.position!;
    first.socket.disconnect();
    for (const n of [2, 3, 4]) await publish('band:b1', n);
    const second = follow('tina', 'band:b1');
    await second.subscribe(position);
    await second.count(3);
    await publish('band:b1', 5);
    await second.count(4);
    expect(numbers(second)).toEqual([2, 3, 4, 5]);
    expect(second.frames[0]!.from).toBe(2);
  });

  it('serves those who come back together soon from memory, without a read of the log', async () => {
    const witness = follow('alma', 'band:b1');
    const before = Array.from({ length: 8 }, () => follow('tina', 'band:b1'));
    await Promise.all([witness, ...before].map((device) => device.subscribe()));
    await publish('band:b1', 1);
    await Promise.all(before.map((device) => device.count(1)));
    for (const { socket } of before) socket.disconnect();
    for (const n of [2, 3, 4]) await publish('band:b1', n);
    await witness.count(4);
    const log = sync.app.get(LogReader);
    const reads = (['state', 'opening', 'page', 'latest', 'at'] as const).map((read) => jest.spyOn(log, read));
    const after = before.map(() => follow('tina', 'band:b1'));
    await Promise.all(after.map((device, nth) => device.subscribe(before[nth]!.position!)));
    await Promise.all(after.map((device) => device.count(3)));
    for (const device of after) expect(numbers(device)).toEqual([2, 3, 4]);
    for (const read of reads) expect(read).not.toHaveBeenCalled();
  });

  it('gives a new device the present state: the latest of each key, nothing that is gone', async () => {
    const witness = follow('alma', 'band:b1');
    await witness.subscribe();
    for (let n = 1; n <= 30; n++) await publish('band:b1', n, `song:${n % 3}`);
    await sync.app.get(EventBroadcaster).publish({ channel: 'band:b1', type: 'gone', key: 'song:0', data: null });
    await witness.until(at(31));
    const tina = follow('tina', 'band:b1');
    const answer = await tina.subscribe();
    expect(answer).toMatchObject({ ok: true });
    await tina.until(at(31));
    expect(numbers(tina)).toEqual([28, 29]);
  });

  it('gives events to devices that come from a position, and to a new one only those since it came', async () => {
    const early = follow('tina', 'band:b1');
    const { epoch } = await early.subscribe();
    await publish('band:b1', 1);
    await publish('band:b1', 2, 'song:1');
    await sync.app.get(EventBroadcaster).publish({ channel: 'band:b1', type: 'gone', key: 'song:2', data: null });
    await early.until(at(3));
    early.socket.disconnect();
    const returning = follow('tina', 'band:b1');
    const fresh = follow('alma', 'band:b1');
    await Promise.all([returning.subscribe({ epoch: epoch as string, offset: 0 }), fresh.subscribe()]);
    await publish('band:b1', 4);
    await Promise.all([returning.until(at(4)), fresh.until(at(4))]);
    expect(returning.messages.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
    expect(fresh.messages.map(({ offset }) => offset)).toEqual([2, 4]);
  });

  it('reads a long history in pages, as one step, and goes on live without a gap', async () => {
    const broadcaster = sync.app.get(EventBroadcaster);
    await broadcaster.publishAll(
      Array.from({ length: 1_500 }, (_, n) => ({ channel: 'band:b1', type: 'note', key: `k${n}`, data: { n } })),
    );
    const alma = follow('alma', 'band:b1');
    await alma.subscribe();
    await alma.count(1_500);
    const tina = follow('tina', 'band:b1');
    await tina.subscribe();
    await publish('band:b1', 1_500);
    await tina.count(1_501);
    expect(numbers(tina)).toEqual(Array.from({ length: 1_501 }, (_, n) => n));
    for (const [nth, frame] of tina.frames.entries()) expect(frame.from).toBe(nth === 0 ? 1 : tina.frames[nth - 1]!.to + 1);
    expect(tina.frames[0]!.more).toBe(true);
    expect(tina.frames.at(-1)!.more).toBeUndefined();
  });

  it('keeps one order on all devices while many publish at once', async () => {
    const devices = ['tina', 'alma', 'tina', 'alma'].map((user) => follow(user, 'band:b1'));
    await Promise.all(devices.map((device) => device.subscribe()));
    await Promise.all(Array.from({ length: 300 }, (_, n) => publish('band:b1', n)));
    await Promise.all(devices.map((device) => device.count(300)));
    const [one, ...others] = devices.map(numbers);
    expect(new Set(one).size).toBe(300);
    for (const other of others) expect(other).toEqual(one);
  });

  it('goes on with a device that acknowledges nothing only after it does, and loses nothing', async () => {
    await sync.close();
    sync = await startSyncApp(database, { windowBytes: 2_000, pageMessages: 5 }, sync.band);
    const slow = new Follower(stockClient(sync.url, { token: 'tina' }), 'band:b1', false);
    sockets.push(slow.socket);
    const quick = follow('alma', 'band:b1');
    await Promise.all([slow.subscribe(), quick.subscribe()]);
    for (let n = 1; n <= 200; n++) await publish('band:b1', n);
    await quick.count(200);
    expect(slow.messages.length).toBeLessThan(200);
    slow.socket.on('messages', ({ to }: { to: number }) => slow.socket.emit('ack', { channel: 'band:b1', offset: to }));
    slow.socket.emit('ack', { channel: 'band:b1', offset: slow.position!.offset });
    await slow.count(200);
    expect(numbers(slow)).toEqual(numbers(quick));
  });

  it('serves the members of several nodes in one order, whichever node publishes', async () => {
    const other = await startSyncApp(database, {}, sync.band);
    try {
      const here = follow('tina', 'band:b1');
      const socket = stockClient(other.url, { token: 'alma' });
      sockets.push(socket);
      const there = new Follower(socket, 'band:b1');
      await Promise.all([here.subscribe(), there.subscribe()]);
      const broadcasters = [sync.app.get(EventBroadcaster), other.app.get(EventBroadcaster)];
      await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          broadcasters[n % 2]!.publish({ channel: 'band:b1', type: 'note', data: { n } }),
        ),
      );
      await Promise.all([here.count(100), there.count(100)]);
      expect(numbers(here)).toEqual(numbers(there));
    } finally {
      await other.close();
    }
  });

  it('compresses a large frame for those who accept it, live and while they catch up, and for nobody else', async () => {
    const plain = follow('tina', 'band:b1');
    const deflating = new Follower(stockClient(sync.url, { token: 'alma', accept: ['deflate', 'later'] }), 'band:b1');
    sockets.push(deflating.socket);
    await Promise.all([plain.subscribe(), deflating.subscribe()]);
    const text = 'All of me, why not take all of me. '.repeat(400);
    await sync.app.get(EventBroadcaster).publish({ channel: 'band:b1', type: 'note', key: 'song:1', data: { n: 1, text } });
    await publish('band:b1', 2, 'song:2');
    await Promise.all([plain.count(2), deflating.count(2)]);
    expect(deflating.messages).toEqual(plain.messages);
    expect([plain.deflatedBytes, deflating.deflatedBytes > 0, deflating.deflatedBytes < text.length / 10]).toEqual([
      0,
      true,
      true,
    ]);
    const late = new Follower(stockClient(sync.url, { token: 'alma', accept: ['deflate'] }), 'band:b1');
    sockets.push(late.socket);
    await late.subscribe();
    await late.count(2);
    expect(late.messages).toEqual(plain.messages);
    expect(late.deflatedBytes).toBeGreaterThan(0);
  });

  it('compresses nothing for each socket, though it offers that', async () => {
    const offer = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
    };
    const opening = request(`${sync.url}/socket.io/?EIO=4&transport=websocket`, { headers: offer });
    const [answer, line] = await new Promise<[IncomingMessage, Duplex]>((resolve, reject) => {
      opening.on('upgrade', (...upgraded) => resolve([upgraded[0], upgraded[1]]));
      opening.on('error', reject).end();
    });
    line.destroy();
    expect(answer.statusCode).toBe(101);
    expect(answer.headers).not.toHaveProperty('sec-websocket-extensions');
  });

  it('goes on when another node takes over from a stopped one, without a reset for anybody', async () => {
    // The only node: it leads.
    const here = follow('tina', 'band:b1');
    await here.subscribe();
    await publish('band:b1', 1);
    await here.count(1);
    const [{ epoch }] = here.frames as [MessagesFrame];
    const other = await startSyncApp(database, {}, sync.band);
    try {
      const socket = stockClient(other.url, { token: 'alma' });
      sockets.push(socket);
      const there = new Follower(socket, 'band:b1');
      await there.subscribe({ epoch, offset: 0 });
      await there.count(1);
      await sync.close();
      await other.app.get(EventBroadcaster).publish({ channel: 'band:b1', type: 'note', data: { n: 2 } });
      await there.count(2);
      expect(new Set(there.frames.map(({ epoch }) => epoch)).size).toBe(2);
      const again = new Follower(stockClient(other.url, { token: 'alma' }), 'band:b1');
      sockets.push(again.socket);
      await again.subscribe({ epoch, offset: 1 });
      await again.count(1);
      expect(numbers(again)).toEqual([2]);
    } finally {
      await other.close();
      sync = await startSyncApp(database, {}, sync.band);
    }
  });
});
