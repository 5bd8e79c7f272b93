import { EventBroadcaster, WebSocketGateway } from '@soleil/sync';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

describe('rights that change while they are being asked for', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  const sockets: Socket[] = [];
  const trumpet = { bandId: 'b1', instrument: 'trumpet', role: 'member' } as const;

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, { devicesPerUser: 2, recheckMs: 200 });
    sync.band.memberships.set('tina', [trumpet]);
    sync.band.join('alma', 'b1', 'alto sax');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const connect = (user: string): Socket => {
    const socket = stockClient(sync.url, { token: user });
    sockets.push(socket);
    return socket;
  };
  const follow = async (user: string, channel: string): Promise<Follower> => {
    const follower = new Follower(connect(user), channel);
    await follower.subscribe();
    return follower;
  };
  const publish = (channel: string, n: number): Promise<string> =>
    sync.app.get(EventBroadcaster).publish({ channel, type: 'note', data: { n } });

  it('sends nothing that was published after a right was taken away, however slow Auth is to answer', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    await publish('band:b1:Bb', 1);
    await tina.count(1);
    // Asked twice: when the change commits, and where it stands in the channel's order.
    const { asked, answer } = sync.band.delay('memberships', { of: 'tina' });
    await sync.changeRights('tina', 'b1', null);
    await asked;
    const witness = await follow('alma', 'band:b1');
    await publish('band:b1:Bb', 2);
    await publish('band:b1', 3);
    await witness.count(1);
    const revoked = next(tina.socket, 'revoked');
    answer();
    await revoked;
    expect(tina.messages).toHaveLength(1);
  });

  it('gives a device that kept its right what was published while that was asked, once', async () => {
    sync.band.memberships.set('tina', [trumpet, { ...trumpet, bandId: 'b2' }]);
    const tina = await follow('tina', 'band:b1:Bb');
    await publish('band:b1:Bb', 1);
    await tina.count(1);
    const other = new Follower(tina.socket, 'band:b2');
    await other.subscribe();
    const { asked, answer } = sync.band.delay('memberships', { of: 'tina' });
    await sync.changeRights('tina', 'b2', null);
    await asked;
    for (const n of [2, 3]) await publish('band:b1:Bb', n);
    answer();
    await publish('band:b1:Bb', 4);
    await tina.count(4);
    expect(tina.messages.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
  });

  it('does not let an older answer give back what a newer one took', async () => {
    sync.band.memberships.set('tina', [trumpet, { ...trumpet, bandId: 'b2' }]);
    const tina = await follow('tina', 'band:b1:Bb');
    const other = new Follower(tina.socket, 'band:b2');
    await other.subscribe();
    const { asked, answer } = sync.band.delay('memberships');
    await sync.changeRights('tina', 'b2', null);
    await asked;
    const revoked = new Promise<void>((resolve) => {
      tina.socket.on('revoked', (frame: { channel: string }) => frame.channel === 'band:b1:Bb' && resolve());
    });
    await sync.changeRights('tina', 'b1', null);
    await revoked;
    answer();
    expect(await tina.subscribe()).toMatchObject({ ok: false, error: { code: 'channel_forbidden' } });
  });

  it('ends a connection whose session ended while it was being let in', async () => {
    const { asked, answer } = sync.band.delay('token');
    const closing = next(connect('tina'), 'closing');
    await asked;
    await sync.endSession('tina');
    answer();
    expect(await closing).toMatchObject({ error: { code: 'session_ended' }, reconnect: false });
    expect(sync.app.get(WebSocketGateway).connected()).toEqual([]);
  });

  it('finds out by itself that a session has ended, or a right is gone, when nobody told', async () => {
    const [tina, alma] = [await follow('tina', 'band:b1:Bb'), await follow('alma', 'band:b1:Eb')];
    const closing = next(tina.socket, 'closing');
    const revoked = next(alma.socket, 'revoked');
    sync.band.endedSessions.add('session-of-tina');
    sync.band.memberships.set('alma', []);
    expect(await closing).toMatchObject({ error: { code: 'session_ended' } });
    expect(await revoked).toEqual({ channel: 'band:b1:Eb' });
  });

  it('holds the limit of devices for those that come all at once', async () => {
    const devices = Array.from({ length: 8 }, () => connect('tina'));
    const outcomes = await Promise.all(
      devices.map((device) =>
        Promise.race([
          next(device, 'connect_error').then(() => 'refused'),
          next(device, 'closing').then(() => 'refused'),
          next(device, 'connect').then(async () => {
            const answer: { ok: boolean } = await device
              .timeout(5_000)
              .emitWithAck('subscribe', { channel: 'system' })
              .catch(() => ({ ok: false }));
            return answer.ok ? 'in' : 'refused';
          }),
        ]),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'in').length).toBeLessThanOrEqual(2);
    expect(sync.app.get(WebSocketGateway).connected()).toHaveLength(2);
  });
});
