import { EventBroadcaster } from '@soleil/sync';
import type { Message, Position } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import { LogReader } from '../libs/sync/src/log/log-reader.js';
import { NodeLink } from '../libs/sync/src/log/node-link.js';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

const trumpet = { instrument: 'trumpet', role: 'member' } as const;
const channel = 'band:b1:Bb';

/** Resolves when a device of this node is known to have a right that has no place in the log yet. */
function toldUnsettled({ app }: SyncApp): Promise<void> {
  const log = app.get(LogReader);
  const ask = log.rightHasChanged.bind(log);
  return new Promise((resolve) => {
    log.rightHasChanged = async (query) => {
      const hasChanged = await ask(query);
      if (hasChanged) resolve();
      return hasChanged;
    };
  });
}

describe('a right that ends, on two nodes', () => {
  let database: TestDatabase;
  /** In office, and where rights are changed. */
  let here: SyncApp;
  /** Where devices are connected. */
  let there: SyncApp;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    const band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    band.join('clara', 'b1', 'trumpet');
    // Batches of one, so that nothing comes first only because it is in one batch with what came after.
    here = await startSyncApp(database, { pollMs: 200, sequencerBatch: 1 }, band);
    there = await startSyncApp(database, { pollMs: 200 }, band);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await there.close();
    await here.close();
    await database.drop();
  });

  const follower = (user: string, which = channel): Follower => {
    const socket = stockClient(there.url, { token: user });
    sockets.push(socket);
    return new Follower(socket, which);
  };
  const follow = async (user: string, position?: Position): Promise<Follower> => {
    const device = follower(user);
    await device.subscribe(position);
    return device;
  };
  const publish = (text: string, extra: { key?: string } = {}): Promise<string> =>
    here.app.get(EventBroadcaster).publish({ channel, type: 'note', data: text, ...extra });
  const texts = (messages: readonly Message[]): unknown[] => messages.map(({ data }) => data);

  it('is obeyed in the channel’s order: what is published after it reaches the others only', async () => {
    const [tina, clara] = [await follow('tina'), await follow('clara')];
    await publish('before');
    await tina.count(1);
    const revoked = next(tina.socket, 'revoked');
    await here.changeRights('tina', 'b1', null);
    await Promise.all(['a', 'b', 'c'].map((text) => publish(text)));
    await clara.count(4);
    expect(await revoked).toEqual({ channel });
    expect(texts(tina.messages)).toEqual(['before']);
    // The others were told of it as of an offset that brings nothing.
    const spans = clara.frames.map(({ from, to }) => [from, to]);
    expect(spans.map(([from]) => from)).toEqual([1, ...spans.slice(0, -1).map(([, to]) => to! + 1)]);
    expect(clara.messages.map(({ offset }) => offset)).toEqual([1, 3, 4, 5]);
  });

  it.each(['lost', 'told twice'])('is obeyed when the other node’s wake-ups are %s', async (fault) => {
    const link = there.app.get<unknown>(NodeLink) as { receive(payload: string): void };
    const receive = link.receive.bind(link);
    link.receive = (payload) => {
      if (fault === 'told twice') for (let times = 0; times < 2; times++) receive(payload);
    };
    const [tina, clara] = [await follow('tina'), await follow('clara')];
    const revoked = next(tina.socket, 'revoked');
    await here.changeRights('tina', 'b1', null);
    await publish('after');
    await clara.count(1);
    await revoked;
    expect(tina.messages).toEqual([]);
  });

  it('ends a replay in its middle, and nothing of what came later is in it', async () => {
    const witness = await follow('clara');
    await here.app
      .get(EventBroadcaster)
      .publishAll(Array.from({ length: 900 }, (_, n) => ({ channel, type: 'note', data: `${n} ${'x'.repeat(500)}` })));
    await witness.count(900);
    const socket = stockClient(there.url, { token: 'tina' });
    sockets.push(socket);
    // Acknowledges nothing: its replay stands still when its window is full.
    const tina = new Follower(socket, channel, false);
    await tina.subscribe({ epoch: witness.position!.epoch, offset: 1 });
    await tina.count(10);
    const revoked = next(tina.socket, 'revoked');
    await here.changeRights('tina', 'b1', null);
    await publish('after');
    await revoked;
    await witness.count(901);
    const told = tina.messages.length;
    socket.emit('ack', { channel, offset: tina.position!.offset });
    expect(await socket.timeout(5_000).emitWithAck('subscribe', { channel })).toMatchObject({ ok: false });
    expect(tina.messages.length).toBe(told);
    expect(told).toBeLessThan(899);
  });

  it('begins with the state for a device that was away while the right had ended', async () => {
    const [before, witness] = [await follow('tina'), await follow('clara')];
    await publish('old', { key: 'k' });
    await publish('gone', { key: 'g' });
    await before.count(2);
    before.socket.disconnect();
    await here.changeRights('tina', 'b1', null);
    await publish('between', { key: 'k' });
    await here.app.get(EventBroadcaster).publish({ channel, type: 'gone', key: 'g', data: null });
    await here.changeRights('tina', 'b1', trumpet);
    await publish('since', { key: 's' });
    await witness.until(({ position }) => position?.offset === 7);
    const after = follower('tina');
    const reset = next(after.socket, 'reset');
    expect(await after.subscribe(before.position!)).toMatchObject({ ok: true });
    expect(await reset).toMatchObject({ channel, reason: 'rights_renewed' });
    await after.until(({ position }) => position?.offset === 7);
    expect(texts(after.messages)).toEqual(['between', 'since']);
  });

  it('begins with the state for a connected device, though the right was granted again before anybody asked', async () => {
    const [tina, witness] = [await follow('tina'), await follow('clara')];
    await publish('one', { key: 'k' });
    await tina.count(1);
    // Both changes are asked about twice, where not together: when they commit, and where they stand in the channel's order.
    const { asked, answer } = there.band.delay('token', { of: 'tina' });
    const reset = next(tina.socket, 'reset');
    await here.changeRights('tina', 'b1', null);
    await asked;
    await publish('two', { key: 'k' });
    await here.changeRights('tina', 'b1', trumpet);
    await publish('since', { key: 's' });
    await witness.until(({ position }) => position?.offset === 5);
    answer();
    expect(await reset).toMatchObject({ channel, reason: 'rights_renewed' });
    await publish('three', { key: 'l' });
    await tina.until(({ messages }) => texts(messages).includes('three'));
    expect(texts(tina.messages).slice(-3)).toEqual(['two', 'since', 'three']);
    expect(tina.frames.filter(({ from }) => from === 1)).toHaveLength(2);
  });

  it.each(['was away', 'never was there'])(
    'lets nobody whose right %s read what was published meanwhile, from whatever position',
    async (which) => {
      const user = which === 'was away' ? 'tina' : 'lea';
      const clara = await follow('clara');
      await publish('before');
      if (user === 'tina') await here.changeRights('tina', 'b1', null);
      await publish('meanwhile');
      await clara.count(2);
      const { epoch, offset } = clara.position!;
      await here.changeRights(user, 'b1', trumpet);
      await publish('since');
      await clara.count(3);
      for (const [nth, made] of [offset - 1, offset, 0].entries()) {
        const device = await follow(user, { epoch, offset: made });
        await publish('live');
        await clara.count(4 + nth);
        await device.until(({ position }) => position?.offset === clara.position?.offset);
        expect(texts(device.messages)).not.toContain('meanwhile');
        device.socket.disconnect();
      }
    },
  );

  it('begins where the log says, for a device that is there before the log says so', async () => {
    const clara = await follow('clara');
    await publish('before');
    await clara.count(1);
    const numbering = here.database.createQueryRunner();
    await numbering.startTransaction();
    await numbering.query('select from sync_leader for update');
    await here.changeRights('lea', 'b1', trumpet);
    const lea = follower('lea');
    const subscribed = lea.subscribe({ ...clara.position!, offset: 0 });
    await Promise.race([subscribed, toldUnsettled(there)]);
    await numbering.rollbackTransaction();
    await numbering.release();
    expect(await subscribed).toMatchObject({ ok: true });
    await publish('since');
    await lea.until(({ messages }) => texts(messages).includes('since'));
    expect(texts(lea.messages)).toEqual(['since']);
  });

  it('refuses a subscription that was being set up', async () => {
    const tina = follower('tina');
    await next(tina.socket, 'connect');
    const { asked, answer } = there.band.delay('memberships');
    const subscribed = tina.subscribe();
    await asked;
    await here.changeRights('tina', 'b1', null);
    const witness = await follow('clara');
    await publish('after');
    await witness.count(1);
    answer();
    expect(await subscribed).toMatchObject({ ok: false, error: { code: 'channel_forbidden' } });
    expect(tina.messages).toEqual([]);
  });

  it('closes the sockets of a session on every node within a second, the other’s wake-ups lost or not', async () => {
    const link = there.app.get<unknown>(NodeLink) as { receive(payload: string): void };
    link.receive = () => undefined;
    const [tina, clara] = [await follow('tina'), await follow('clara')];
    const closing = next(tina.socket, 'closing');
    const began = performance.now();
    await here.endSession('tina');
    await publish('after');
    expect(await closing).toMatchObject({ error: { code: 'session_ended' }, reconnect: false });
    expect(performance.now() - began).toBeLessThan(1_000);
    await clara.count(1);
    expect(tina.messages).toEqual([]);
  });

  it('comes before a message that was published earlier, in a transaction that commits later', async () => {
    const [tina, clara] = [await follow('tina'), await follow('clara')];
    const late = here.database.createQueryRunner();
    await late.startTransaction();
    await here.app.get(EventBroadcaster).publish({ channel, type: 'note', data: 'late' }, { transaction: late.manager });
    const numbering = here.database.createQueryRunner();
    await numbering.startTransaction();
    await numbering.query('select from sync_leader for update');
    await here.changeRights('tina', 'b1', null);
    await late.commitTransaction();
    await numbering.rollbackTransaction();
    await Promise.all([late.release(), numbering.release()]);
    await clara.count(1);
    expect(clara.messages).toMatchObject([{ offset: 2, data: 'late' }]);
    expect(tina.messages).toEqual([]);
  });

  it('does not end, nor is anything told of it, when the transaction that takes it is rolled back', async () => {
    const tina = await follow('tina');
    await expect(
      here.database.transaction(async (transaction) => {
        const before = { bandId: 'b1', ...trumpet };
        await here.bus.publish('auth.rights_changing', { userId: 'tina', bandId: 'b1', before, after: null, transaction });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await publish('still yours');
    expect(texts(await tina.count(1))).toEqual(['still yours']);
    expect(tina.frames[0]).toMatchObject({ from: 1, to: 1 });
  });
});
