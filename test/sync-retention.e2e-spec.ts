import { EventBroadcaster } from '@soleil/sync';
import type { Reset } from '@soleil/sync-protocol';
import { Retention } from '../libs/sync/src/log/retention.js';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const channel = 'band:b1';

describe('retention', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  const followers: Follower[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, { windowBytes: 2_000, pageMessages: 5, tailMessages: 1 });
    sync.band.join('tina', 'b1', 'trumpet');
  });
  afterEach(async () => {
    for (const { socket } of followers.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const device = (acknowledges = true): Follower => {
    const follower = new Follower(stockClient(sync.url, { token: 'tina' }), channel, acknowledges);
    followers.push(follower);
    return follower;
  };
  const publish = (key: string | undefined, data: unknown): Promise<string> =>
    sync.app.get(EventBroadcaster).publish({ channel, type: 'note', key, data });
  /** A month passes for all that is in the log, and retention comes. */
  const monthPasses = async (): Promise<void> => {
    await sync.database.query(`update sync_message set published_at = published_at - interval '31 days'`);
    await sync.app.get(Retention).prune();
  };
  const rowsOf = ({ messages }: Follower): Record<string, unknown> => {
    const rows = new Map<string, unknown>();
    for (const { key, data } of messages) {
      if (key !== undefined && data !== null) rows.set(key, data);
      else if (key !== undefined) rows.delete(key);
    }
    return Object.fromEntries(rows);
  };
  const until = (follower: Follower, offset: number): Promise<void> =>
    follower.until(({ position }) => position?.offset === offset);

  it('sends a device that was away for too long to learn what is gone the state, and others what they missed', async () => {
    const witness = device();
    const [early, late] = [device(), device()];
    await Promise.all([witness, early, late].map((follower) => follower.subscribe()));
    await publish('song:1', 'Blue Bossa');
    await publish('song:2', 'All of Me');
    await until(early, 2);
    early.socket.disconnect();
    await publish('song:1', null);
    await until(late, 3);
    late.socket.disconnect();
    // More than the node keeps in memory.
    for (const key of ['song:3', 'song:4', 'song:5']) await publish(key, 'Take Five');
    await until(witness, 6);
    await monthPasses();

    const returned = [device(), device()] as const;
    const reset = next<Reset>(returned[0].socket, 'reset');
    await Promise.all([returned[0].subscribe(early.position!), returned[1].subscribe(late.position!)]);
    expect((await reset).reason).toBe('position_expired');
    await Promise.all(returned.map((follower) => until(follower, 6)));
    expect(Object.keys(rowsOf(returned[0])).sort()).toEqual(['song:2', 'song:3', 'song:4', 'song:5']);
    expect(returned[1].messages.map(({ offset }) => offset)).toEqual([4, 5, 6]);
  });

  it('passes a reader in mid-replay: it begins anew, keeps nothing that is gone, and goes on live', async () => {
    const first = device();
    await first.subscribe();
    for (let n = 0; n < 60; n++) await publish(`song:${n}`, 'x'.repeat(200));
    await until(first, 60);
    const reader = device(false);
    const begun = first.frames[0]!;
    await reader.subscribe({ epoch: begun.epoch, offset: begun.to });
    await reader.count(1);
    await publish('song:1', null);
    await publish(undefined, 'the van leaves at six');
    await until(first, 62);
    await monthPasses();

    const reset = next<Reset>(reader.socket, 'reset');
    reader.socket.on('messages', ({ to }: { to: number }) => reader.socket.emit('ack', { channel, offset: to }));
    reader.socket.emit('ack', { channel, offset: reader.position!.offset });
    expect((await reset).reason).toBe('position_expired');
    await until(reader, 62);
    await publish('song:60', 'y');
    await until(reader, 63);
    expect(Object.keys(rowsOf(reader))).toHaveLength(60);
    expect(rowsOf(reader)).not.toHaveProperty('song:1');
    expect(reader.messages.map(({ key }) => key)).not.toContain(undefined);
  });
});
