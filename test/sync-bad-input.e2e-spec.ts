import type { EventEmitter } from 'node:events';
import { randomUUID } from 'node:crypto';
import { EventBroadcaster, WebSocketGateway } from '@soleil/sync';
import { limits, wireError, type WireError } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

interface Refused {
  ok: false;
  error: WireError;
}

describe('bad input at the gateway', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, { devicesPerUser: 2, subscriptionsPerConnection: 3 });
    sync.band.join('tina', 'b1', 'trumpet');
    sync.band.join('lea', 'b1', 'piano', 'leader');
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });
  afterAll(async () => {
    await sync.close();
    await database.drop();
  });

  const client = (auth: Record<string, unknown>): Socket => {
    const socket = stockClient(sync.url, auth);
    sockets.push(socket);
    return socket;
  };
  const refusal = async (auth: Record<string, unknown>): Promise<WireError> => {
    const error = await next<Error & { data: unknown }>(client(auth), 'connect_error');
    // Whole and strict: no stack, no SQL, nothing that the schema does not name.
    return wireError.parse(error.data);
  };
  const send = (socket: Socket, event: string, ...frame: unknown[]): Promise<Refused> =>
    socket.timeout(5_000).emitWithAck(event, ...frame) as Promise<Refused>;
  const codeOf = async (socket: Socket, event: string, ...frame: unknown[]): Promise<string> => {
    const answer = await send(socket, event, ...frame);
    expect(answer.ok).toBe(false);
    const { remedy, code } = wireError.parse(answer.error);
    expect(remedy).not.toBe('');
    return code;
  };

  it('answers a frame that is all wrong with a few lines', async () => {
    const wrong = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`key-${n}`, n]));
    const socket = client({ token: 'tina' });
    for (const frame of [wrong, { channel: 'x'.repeat(20_000) }, { channel: 'system', position: wrong }]) {
      const answer = await send(socket, 'subscribe', frame);
      expect(answer.error.code).toBe('frame_invalid');
      expect(JSON.stringify(answer).length).toBeLessThan(2_000);
    }
  });

  it.each([
    ['no token', { token: undefined }, 'token_missing'],
    ['an empty token', { token: '' }, 'token_missing'],
    ['a forged token', { token: 'somebody' }, 'token_invalid'],
    ['a token that is no text', { token: 7 }, 'handshake_invalid'],
    ['an unknown protocol version', { token: 'tina', protocol: 99 }, 'protocol_unsupported'],
    ['no protocol version', { token: 'tina', protocol: undefined }, 'handshake_invalid'],
    ['a device name that no screen could show', { token: 'tina', deviceName: 'iP\0ad' }, 'handshake_invalid'],
    ['a device id that is none', { token: 'tina', deviceId: '../x' }, 'handshake_invalid'],
  ])('refuses %s with a code, before the client is connected', async (_, auth, code) => {
    const refused = await refusal(auth);
    expect(refused.code).toBe(code);
    expect(sync.app.get(WebSocketGateway).connected()).toEqual([]);
  });

  it('names the versions it speaks when it refuses one', async () => {
    expect((await refusal({ token: 'tina', protocol: 0 })).details).toEqual({ supported: [1] });
  });

  it('refuses one device too many, and lets the same device in again', async () => {
    const [one, two] = [
      client({ token: 'tina', deviceId: 'device-one' }),
      client({ token: 'tina', deviceId: 'device-two' }),
    ];
    await Promise.all([next(one, 'connect'), next(two, 'connect')]);
    expect((await refusal({ token: 'tina', deviceId: 'device-three' })).code).toBe('too_many_devices');
    const closing = next<{ error: WireError; reconnect: boolean }>(one, 'closing');
    await next(client({ token: 'tina', deviceId: 'device-one' }), 'connect');
    expect(await closing).toMatchObject({ error: { code: 'replaced' }, reconnect: false });
  });

  it.each([
    ['another part of the band', 'band:b1:Eb'],
    ['another band', 'band:b2'],
    ['another person', 'user:lea'],
  ])('does not let a trumpeter follow the channel of %s', async (_, channel) => {
    expect(await codeOf(client({ token: 'tina' }), 'subscribe', { channel })).toBe('channel_forbidden');
  });

  it.each([
    ['subscribe', undefined],
    ['subscribe', null],
    ['subscribe', 'band:b1'],
    ['subscribe', []],
    ['subscribe', {}],
    ['subscribe', { channel: 'band:b1', more: 1 }],
    ['subscribe', { channel: '../etc' }],
    ['subscribe', { channel: 'band:b1', position: { epoch: 'x', offset: -1 } }],
    ['subscribe', { channel: 'band:b1', position: { epoch: 'x', offset: 1.5 } }],
    ['subscribe', { channel: 'band:b1', position: { epoch: 'x', offset: 2 ** 60 } }],
    ['ack', { channel: 'band:b1' }],
    ['ack', { channel: 'band:b1', offset: '1' }],
    ['have', { channel: 'band:b1', items: [] }],
    ['have', { channel: 'band:b1', items: [{ key: 'a\0b', hash: null }] }],
    ['have', { channel: 'band:b1', items: [{ key: 'file:1', hash: 'not a hash' }] }],
    ['sync_request', { scope: 'world', id: 'b1', mode: 'delta' }],
    ['sync_request', { scope: 'file', id: 'a\0b', mode: 'delta' }],
    ['unsubscribe', { channel: Buffer.from('band:b1') }],
  ])('answers a %s frame that fits no schema (%j) with frame_invalid', async (event, frame) => {
    expect(await codeOf(client({ token: 'tina' }), event, frame)).toBe('frame_invalid');
  });

  it('answers a frame that is nested more deeply than it can look', async () => {
    const socket = client({ token: 'tina' });
    await next(socket, 'connect');
    const depth = 20_000;
    // No client's own encoder gets that deep.
    const packet = `2/sync,1["signal",{"channel":"band:b1","type":"t","data":${'['.repeat(depth)}${']'.repeat(depth)}}]`;
    const { engine } = socket.io as unknown as { engine: EventEmitter & { write(packet: string): void } };
    const answer = new Promise<string>((resolve) => {
      engine.on('data', (data: string) => data.startsWith('3/sync,1[') && resolve(data));
    });
    engine.write(packet);
    expect(await answer).toContain('frame_invalid');
  });

  it('answers an event it does not know', async () => {
    expect(await codeOf(client({ token: 'tina' }), 'drop_tables', {})).toBe('event_unknown');
  });

  it('answers a frame over the limit, and the connection lives on', async () => {
    const socket = client({ token: 'tina' });
    expect(await codeOf(socket, 'subscribe', { channel: 'x'.repeat(limits.upFrameBytes) })).toBe('frame_too_large');
    expect(await send(socket, 'subscribe', { channel: 'band:b1' })).toMatchObject({ ok: true });
  });

  it('closes the transport on a packet over its limit, and others are not touched', async () => {
    const [greedy, other] = [client({ token: 'tina' }), client({ token: 'lea' })];
    await Promise.all([next(greedy, 'connect'), next(other, 'connect')]);
    const gone = next<string>(greedy, 'disconnect');
    greedy.emit('subscribe', { channel: 'x'.repeat(limits.packetBytes + 1) });
    expect(await gone).toMatch(/transport/);
    expect(await send(other, 'subscribe', { channel: 'band:b1' })).toMatchObject({ ok: true });
  });

  it('refuses what does not fit the state of the connection', async () => {
    const socket = client({ token: 'tina' });
    expect(await codeOf(socket, 'ack', { channel: 'band:b1', offset: 1 })).toBe('not_subscribed');
    expect(await codeOf(socket, 'unsubscribe', { channel: 'band:b1' })).toBe('not_subscribed');
    await send(socket, 'subscribe', { channel: 'band:b1' });
    expect(await codeOf(socket, 'subscribe', { channel: 'band:b1' })).toBe('already_subscribed');
    expect(await codeOf(socket, 'ack', { channel: 'band:b1', offset: 1_000 })).toBe('ack_ahead');
    await send(socket, 'subscribe', { channel: 'system' });
    await send(socket, 'subscribe', { channel: 'user:tina' });
    expect(await codeOf(socket, 'subscribe', { channel: 'band:b1:Bb' })).toBe('too_many_subscriptions');
  });

  it.each([
    ['of an unknown epoch', (epoch: string) => ({ epoch: `not-${epoch}`, offset: 1 }), 'epoch_unknown'],
    ['from the future', (epoch: string) => ({ epoch, offset: 1_000_000 }), 'position_ahead'],
  ])('resets a reader with a position %s, and gives it the state', async (_, lost, reason) => {
    await sync.app.get(EventBroadcaster).publish({ channel: 'user:tina', type: 'note', key: 'k', data: 1 });
    const honest = new Follower(client({ token: 'tina' }), 'user:tina');
    await honest.subscribe();
    await honest.count(1);
    const follower = new Follower(client({ token: 'tina' }), 'user:tina');
    const reset = next(follower.socket, 'reset');
    await follower.subscribe(lost(honest.position!.epoch));
    expect(await reset).toEqual({ channel: 'user:tina', epoch: honest.position!.epoch, reason });
    await follower.count(1);
    expect(follower.position).toEqual(honest.position);
  });

  it('refuses sync requests for bands and files of others, and full syncs of members', async () => {
    const socket = client({ token: 'tina' });
    expect(await codeOf(socket, 'sync_request', { scope: 'band', id: 'b2', mode: 'delta' })).toBe('band_forbidden');
    expect(await codeOf(socket, 'sync_request', { scope: 'band', id: 'b1', mode: 'full' })).toBe('leader_only');
    expect(await codeOf(socket, 'sync_request', { scope: 'file', id: 'none', mode: 'delta' })).toBe('file_unknown');
  });

  it('refuses to publish what no device could read', async () => {
    const broadcaster = sync.app.get(EventBroadcaster);
    const message = { channel: 'band:b1', type: 'note', data: {} };
    await expect(broadcaster.publish({ ...message, channel: 'nowhere' })).rejects.toMatchObject({ code: 'message_invalid' });
    await expect(broadcaster.publish({ ...message, data: { text: 'a\0b' } })).rejects.toMatchObject({
      code: 'message_invalid',
    });
    await expect(broadcaster.publish({ ...message, data: 'x'.repeat(limits.messageBytes) })).rejects.toMatchObject({
      code: 'message_too_large',
    });
  });

  it('closes the sockets of a session that signs out, at once', async () => {
    sync.band.join('sam', 'b1', 'drums');
    const socket = client({ token: 'sam' });
    await next(socket, 'connect');
    const closing = next(socket, 'closing');
    const gone = next<string>(socket, 'disconnect');
    await sync.endSession('sam');
    expect(await closing).toMatchObject({ error: { code: 'session_ended' }, reconnect: false });
    expect(await gone).toBe('io server disconnect');
  });

  it('takes a channel away from whom it is no longer for, and gives the new one', async () => {
    const moved = `mover-${randomUUID()}`;
    sync.band.join(moved, 'b1', 'trumpet');
    const follower = new Follower(client({ token: moved }), 'band:b1:Bb');
    await follower.subscribe();
    const revoked = next(follower.socket, 'revoked');
    await sync.changeRights(moved, 'b1', { instrument: 'alto sax', role: 'member' });
    expect(await revoked).toEqual({ channel: 'band:b1:Bb' });
    await sync.app.get(EventBroadcaster).publish({ channel: 'band:b1:Bb', type: 'note', data: 'not for you' });
    const now = new Follower(follower.socket, 'band:b1:Eb');
    expect(await now.subscribe()).toMatchObject({ ok: true });
    expect(await follower.subscribe()).toMatchObject({ ok: false, error: { code: 'channel_forbidden' } });
    expect(follower.messages).toEqual([]);
  });
});
