import { randomUUID } from 'node:crypto';
import { EventBroadcaster, type Delivery, type SyncOptions } from '@soleil/sync';
import { wireError, type Message, type MessagesFrame } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const channel = 'band:b1';
const quick: SyncOptions = { ledgerFlushMs: 10 };

describe('the delivery ledger', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, quick);
    sync.band.join('tina', 'b1', 'trumpet');
    sync.band.join('alma', 'b1', 'alto sax');
    sync.band.join('otto', 'b2', 'trumpet');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const device = (user: string, auth: Record<string, unknown> = {}, url = sync.url, acknowledge = true): Follower => {
    const socket = stockClient(url, { token: user, ...auth });
    sockets.push(socket);
    return new Follower(socket, channel, acknowledge);
  };
  /** @returns once it is in the log */
  const publish = async (to = channel): Promise<string> => {
    const id = await sync.app.get(EventBroadcaster).publish({ channel: to, type: 'note', data: {} });
    await logged(id);
    return id;
  };
  const logged = async (id: string): Promise<void> => {
    while ((await sync.database.query<unknown[]>('select from sync_message where id = $1', [id])).length === 0);
  };
  const ask = (id: string, user: string): Promise<Response> =>
    fetch(`${sync.url}/sync/messages/${id}/delivery`, { headers: { authorization: `Bearer ${user}` } });
  const delivery = async (id: string, user = 'tina'): Promise<Delivery> => (await ask(id, user)).json() as Promise<Delivery>;
  type Device = Delivery['members'][number]['devices'][number];
  const devicesOf = async (id: string, userId: string): Promise<Device[]> =>
    (await delivery(id)).members.find((member) => member.userId === userId)!.devices;
  /** Asks until it is so. */
  const until = async (id: string, userId: string, holds: (devices: Device[]) => boolean): Promise<Device[]> => {
    for (;;) {
      const devices = await devicesOf(id, userId);
      if (holds(devices)) return devices;
    }
  };
  const know = (devices: Device[]): boolean => devices.some(({ knowsSince }) => knowsSince !== null);
  const isUnknown = async (response: Response): Promise<unknown> => {
    const { error } = (await response.json()) as { error: unknown };
    return [response.status, wireError.parse(error).code];
  };

  it('lists the members of the band, what each device acknowledged and who is away', async () => {
    const tina = device('tina', { deviceId: 'tablet-of-tina', deviceName: 'iPad' });
    const mute = device('alma', { deviceId: 'tablet-of-alma' }, sync.url, false);
    await Promise.all([tina.subscribe(), mute.subscribe()]);
    const id = await publish();
    await Promise.all([tina.count(1), mute.count(1)]);
    const [{ knowsSince, lastSeenAt, ...known }] = (await until(id, 'tina', know)) as [Device];
    expect(known).toEqual({ deviceId: 'tablet-of-tina', name: 'iPad', isConnected: true, hasSince: null });
    expect(Math.abs(Date.parse(knowsSince!) - Date.now())).toBeLessThan(5_000);
    expect(lastSeenAt).toEqual(expect.any(String));
    expect(await devicesOf(id, 'alma')).toMatchObject([{ deviceId: 'tablet-of-alma', isConnected: true, knowsSince: null }]);
    mute.socket.disconnect();
    await until(id, 'alma', ([only]) => !only!.isConnected);
    const told = await delivery(id, 'alma');
    expect(told).toMatchObject({ messageId: id, channel, offset: 1, file: null });
    expect(told.members.map(({ name, instrument }) => [name, instrument])).toEqual([
      ['tina', 'trumpet'],
      ['alma', 'alto sax'],
    ]);
  });

  it('does not take a device in the middle of a step for one that knows what only the end of the step supersedes', async () => {
    await sync.close();
    sync = await startSyncApp(database, { ...quick, pageMessages: 2, windowBytes: 1_000 }, sync.band);
    const keys = ['song:0', ...Array.from({ length: 10 }, (_, n) => `song:${n}`), 'song:0'];
    const ids = await sync.app
      .get(EventBroadcaster)
      .publishAll(keys.map((key) => ({ channel, type: 'note', key, data: {} })));
    const [early, late] = [ids[0]!, ids.at(-1)!];
    await logged(late);
    const [tina, alma] = [device('tina', { deviceId: 'tablet-of-tina' }, sync.url, false), device('alma')];
    await tina.subscribe();
    await tina.count(1);
    const [{ epoch, to, more, until: end }] = tina.frames as [MessagesFrame];
    expect(more).toBe(true);
    tina.socket.emit('ack', { channel, offset: to });
    // Whatever is stored of hers is so by the time at which something is stored of what came later.
    await alma.subscribe();
    await until(late, 'alma', know);
    expect(know(await devicesOf(early, 'tina'))).toBe(false);

    tina.socket.disconnect();
    const back = device('tina', { deviceId: 'tablet-of-tina' });
    await back.socket.emitWithAck('subscribe', { channel, position: { epoch, offset: to }, until: end });
    await until(early, 'tina', know);
    expect(know(await devicesOf(late, 'tina'))).toBe(true);
  });

  it('lists a member who was never connected, without a device', async () => {
    expect(await devicesOf(await publish(), 'alma')).toEqual([]);
  });

  it('asks of a part only those who play it', async () => {
    const id = await publish('band:b1:Bb');
    expect((await delivery(id)).members.map(({ userId }) => userId)).toEqual(['tina']);
  });

  it.each([
    ['a message of another band', async () => ask(await publish(), 'otto')],
    ["a message of somebody else's part", async () => ask(await publish('band:b1:Eb'), 'tina')],
    ['a message to one person', async () => ask(await publish('user:tina'), 'tina')],
    ['a message that never was', async () => ask(randomUUID(), 'tina')],
    ['what is no id', async () => ask("';drop table sync_device", 'tina')],
  ])('does not tell of %s', async (_, asking) => {
    expect(await isUnknown(await asking())).toEqual([404, 'message_unknown']);
  });

  it('keeps what was acknowledged when the server stops, and takes a position for an acknowledgement', async () => {
    const tina = device('tina', { deviceId: 'tablet-of-tina' });
    await tina.subscribe();
    const first = await publish();
    await tina.count(1);
    await until(first, 'tina', know);
    const since = (await devicesOf(first, 'tina'))[0]!.knowsSince;
    await sync.close();
    sync = await startSyncApp(database, quick, sync.band);
    expect(await devicesOf(first, 'tina')).toMatchObject([{ isConnected: false, knowsSince: since }]);
    const second = await publish();
    const witness = device('alma');
    await witness.subscribe();
    await witness.until(({ position }) => position?.offset === 2);
    // Stored by the device, and the acknowledgement was lost on the way.
    const again = device('tina', { deviceId: 'tablet-of-tina' }, sync.url, false);
    await again.subscribe(witness.position!);
    expect((await until(second, 'tina', know))[0]!.isConnected).toBe(true);
    expect((await devicesOf(first, 'tina'))[0]!.knowsSince).toBe(since);
  });

  it('takes the receipts of a device that comes back with less than it had', async () => {
    const tina = device('tina', { deviceId: 'tablet-of-tina' });
    await tina.subscribe();
    const id = await publish();
    await tina.count(1);
    await until(id, 'tina', know);
    const emptied = device('tina', { deviceId: 'tablet-of-tina' }, sync.url, false);
    await emptied.subscribe();
    await until(id, 'tina', (devices) => !know(devices));
  });

  it('takes the receipts of a device that was told to forget the channel, though its member comes back', async () => {
    const hash = 'a'.repeat(64);
    const tina = device('tina');
    await tina.subscribe();
    await sync.save({ fileId: '1', bandId: 'b1', path: 'Tune.cho', audience: null, text: hash });
    const [{ id }] = (await tina.count(1)) as [Message];
    await tina.socket.timeout(5_000).emitWithAck('have', { channel, items: [{ key: 'file:1', hash }] });
    await until(id, 'tina', (devices) => know(devices) && devices[0]!.hasSince !== null);
    const revoked = next(tina.socket, 'revoked');
    await sync.changeRights('tina', 'b1', null);
    await revoked;
    await sync.changeRights('tina', 'b1', { instrument: 'trumpet', role: 'member' });
    await until(id, 'tina', (devices) => devices.length === 1 && !know(devices) && devices[0]!.hasSince === null);
    await tina.subscribe();
    await until(id, 'tina', know);
  });

  it('takes the device of who signs out from the roster', async () => {
    const tina = device('tina', { deviceId: 'tablet-of-tina' });
    await tina.subscribe();
    const id = await publish();
    await tina.count(1);
    await until(id, 'tina', know);
    await sync.bus.publish('auth.user_logged_out', {
      userId: 'tina',
      sessionId: 'session-of-tina',
      at: new Date().toISOString(),
    });
    await until(id, 'tina', (devices) => devices.length === 0);
  });

  it('follows a device that moves to another node', async () => {
    const other = await startSyncApp(database, quick, sync.band);
    try {
      const here = device('tina', { deviceId: 'tablet-of-tina' });
      await here.subscribe();
      const first = await publish();
      await here.count(1);
      await until(first, 'tina', know);
      const there = device('tina', { deviceId: 'tablet-of-tina' }, other.url);
      await there.subscribe(here.position!);
      const second = await publish();
      await there.count(1);
      await until(second, 'tina', (devices) => devices.length === 1 && know(devices));
      here.socket.disconnect();
      const third = await publish();
      await there.count(2);
      expect(await until(third, 'tina', know)).toMatchObject([{ isConnected: true }]);
    } finally {
      await other.close();
    }
  });

  it('tells who has a file, apart from who knows of it, and takes no report for channels that are not for the device', async () => {
    const hash = 'a'.repeat(64);
    const tina = device('tina');
    await tina.subscribe();
    await sync.save({ fileId: '1', bandId: 'b1', path: 'Tune.cho', audience: null, text: hash });
    const [message] = await tina.count(1);
    const report = (to: string, value: string | null): Promise<unknown> =>
      tina.socket.timeout(5_000).emitWithAck('have', { channel: to, items: [{ key: 'file:1', hash: value }] });
    const [before] = await until(message!.id, 'tina', know);
    expect([before!.hasSince, (await delivery(message!.id)).file]).toEqual([null, { key: 'file:1', hash }]);
    expect(await report(channel, hash)).toEqual({ ok: true });
    const [after] = await devicesOf(message!.id, 'tina');
    expect(Math.abs(Date.parse(after!.hasSince!) - Date.now())).toBeLessThan(5_000);
    expect(await report(channel, 'b'.repeat(64))).toEqual({ ok: true });
    expect((await devicesOf(message!.id, 'tina'))[0]!.hasSince).toBeNull();
    expect(await report('band:b1:Eb', hash)).toMatchObject({ ok: false, error: { code: 'channel_forbidden' } });
  });

  it('stores far fewer rows than messages were acknowledged', async () => {
    const tina = device('tina');
    await tina.subscribe();
    const [last] = (await Promise.all(Array.from({ length: 200 }, () => publish()))).slice(-1);
    await tina.count(200);
    await until(last!, 'tina', know);
    const [{ runs }] = await sync.database.query<[{ runs: number }]>('select count(*)::int as runs from sync_receipt');
    expect(runs).toBeLessThan(100);
  });
});
