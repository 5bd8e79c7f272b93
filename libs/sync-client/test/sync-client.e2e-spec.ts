import type { Message } from '@soleil/sync-protocol';
import { systemClock } from '../src/clock.js';
import { MemoryStore, SyncClient, type ChannelAdvance, type SyncClientOptions } from '../src/index.js';
import { FakeServer, wireError } from './fake-server.js';

const channel = 'band:b1';
const quick = { backoffMinMs: 5, backoffMaxMs: 20 };

let server: FakeServer;
const clients: SyncClient[] = [];

const newClient = (options: Partial<SyncClientOptions> = {}): SyncClient => {
  const client = new SyncClient({ url: server.url, token: 'good', timings: quick, ...options });
  clients.push(client);
  return client;
};

/** Resolves when the condition holds; asked again whenever the client's channel or connection has changed. */
const until = (client: SyncClient, holds: () => boolean, name = channel): Promise<void> =>
  new Promise((resolve) => {
    const check = () => {
      if (!holds()) return;
      stops.forEach((stop) => stop());
      resolve();
    };
    const stops = [client.subscribe(name, check), client.subscribeConnection(check)];
    check();
  });

const offsetOf = (client: SyncClient, name = channel): number => client.channel(name).position?.offset ?? 0;
const dataOf = (client: SyncClient, name = channel) =>
  Object.fromEntries([...client.channel(name).rows].map(([key, row]) => [key, row.data]));

const recorded = (client: SyncClient): Message[] => {
  const messages: Message[] = [];
  client.onMessage((_channel, message) => messages.push(message));
  return messages;
};

/** A store whose every write of rows waits for the test. */
class HeldStore extends MemoryStore {
  release!: () => void;
  readonly #released = new Promise<void>((resolve) => (this.release = resolve));
  #arrived!: () => void;
  /** Resolves when the first write waits. */
  readonly arrived = new Promise<void>((resolve) => (this.#arrived = resolve));

  override async apply(name: string, advance: ChannelAdvance): Promise<boolean> {
    if (advance.upserts.length > 0) {
      this.#arrived();
      await this.#released;
    }
    return super.apply(name, advance);
  }
}

beforeEach(async () => {
  server = await FakeServer.start();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.stop();
});

describe('following', () => {
  test('brings the state of a channel, then what happens, and says live only at the head', async () => {
    server.append(channel, 'file:1', 'one');
    server.append(channel, 'file:2', 'two');
    const client = newClient();
    expect(client.connection.state).toBe('offline');
    client.follow(channel);
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    expect(dataOf(client)).toEqual({ 'file:1': 'one', 'file:2': 'two' });
    expect(client.channel(channel)).toMatchObject({ state: 'live', position: { epoch: 'e1', offset: 2 } });
    expect(client.connection).toMatchObject({ attempt: 0, retryAt: null, error: null });
    expect(client.connection.lastSyncedAt).not.toBeNull();

    server.publish(channel, 'file:1', null);
    server.publish(channel, 'file:3', 'three');
    await until(client, () => offsetOf(client) === 4);
    expect(dataOf(client)).toEqual({ 'file:2': 'two', 'file:3': 'three' });
    expect(server.of('subscribe')).toEqual([{ channel }]);
    expect(server.handshakes).toEqual([
      { token: 'good', deviceId: expect.stringMatching(/^[\w-]{8,64}$/), durable: false, protocol: 1, accept: ['deflate'] },
    ]);
  });

  test('has a position in an empty channel, so that it gets what happens while it is away, events too', async () => {
    const client = newClient();
    const messages = recorded(client);
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    expect(client.channel(channel).position).toEqual({ epoch: 'e1', offset: 0 });
    client.disconnect();
    server.append(channel, null, 'the van leaves at six');
    client.connect();
    await until(client, () => offsetOf(client) === 1);
    expect(server.of('subscribe')).toEqual([{ channel }, { channel, position: { epoch: 'e1', offset: 0 } }]);
    expect(messages.map(({ data }) => data)).toEqual(['the van leaves at six']);
  });

  test('keeps snapshots the same until something changes, and never changes one it gave out', async () => {
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    const before = client.channel(channel);
    expect(client.channel(channel)).toBe(before);
    server.publish(channel, 'file:1', 'one');
    await until(client, () => offsetOf(client) === 1);
    expect(client.channel(channel)).not.toBe(before);
    expect(before.rows.size).toBe(0);
    expect(client.channel('band:none')).toBe(client.channel('band:none'));
  });

  test('falls back to catching up when a channel is added, and a refused one holds nobody up', async () => {
    server.append('band:b2', 'file:9', 'nine');
    server.allow = (name) => (name === 'band:b3' ? wireError('channel_forbidden') : null);
    const client = newClient();
    const states: string[] = [];
    client.subscribeConnection(() => states.push(client.connection.state));
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    client.follow('band:b2');
    expect(client.connection.state).toBe('catching_up');
    await client.waitFor('live');
    expect(dataOf(client, 'band:b2')).toEqual({ 'file:9': 'nine' });
    client.follow('band:b3');
    await until(client, () => client.channel('band:b3').state === 'revoked', 'band:b3');
    expect(client.connection.state).toBe('live');
  });

  test('stops receiving after unfollow and goes on from there when it follows again', async () => {
    server.append(channel, 'file:1', 'one');
    const client = newClient();
    const messages = recorded(client);
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    const left = server.next('unsubscribe');
    client.unfollow(channel);
    expect(client.channel(channel).state).toBe('stale');
    await left;
    server.publish(channel, 'file:2', 'two');
    client.follow(channel);
    await until(client, () => client.channel(channel).state === 'live');
    expect(server.of('subscribe').at(-1)).toEqual({ channel, position: { epoch: 'e1', offset: 1 } });
    expect(messages.map(({ offset }) => offset)).toEqual([1, 2]);
  });

  test('asks again after a while when the server cannot start a channel now', async () => {
    let refusals = 2;
    server.allow = () => (refusals-- > 0 ? wireError('database_unavailable', true) : null);
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    expect(server.of('subscribe')).toHaveLength(3);
    expect(client.channel(channel).error).toBeNull();
  });

  test('goes on with what an earlier client left in the store', async () => {
    const store = new MemoryStore();
    await store.apply(channel, {
      position: { epoch: 'e1', offset: 1 },
      midStep: false,
      until: null,
      upserts: [{ key: 'file:1', type: 'note', data: 'one', offset: 1, id: 'x', at: '2026-11-23T20:00:00.000Z' }],
      deletions: [],
    });
    server.append(channel, 'file:1', 'one');
    server.append(channel, 'file:2', 'two');
    const client = newClient({ store });
    const messages = recorded(client);
    expect(await client.knownChannels()).toEqual([channel]);
    client.follow(channel);
    await until(client, () => offsetOf(client) === 1);
    expect(client.channel(channel).state).toBe('stale');
    client.connect();
    await client.waitFor('live');
    expect(messages.map(({ offset }) => offset)).toEqual([2]);
    expect(server.handshakes[0]?.deviceId).toBe(store.deviceId);
  });
});

describe('interruptions', () => {
  test('reads on from the stored position and tells every message once, in order, although frames overlap', async () => {
    const client = newClient();
    const messages = recorded(client);
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    for (let round = 0; round < 5; round++) {
      server.publish(channel, `file:${round}`, round);
      server.publish(channel, null, 'unkeyed');
      await until(client, () => offsetOf(client) === server.log(channel).messages.length);
      // Repeated, and reaching back: what another node of the server may send.
      server.socket.emit('messages', server.frame(channel, 1, server.log(channel).messages.length));
      server.append(channel, 'while:away', round);
      server.socket.conn.close();
      await client.waitFor('waiting');
      expect(client.channel(channel).state).toBe('stale');
      await client.waitFor('live');
      expect(offsetOf(client)).toBe(server.log(channel).messages.length);
    }
    expect(messages).toEqual(server.log(channel).messages);
    expect(server.of('subscribe').map(({ position }) => position?.offset)).toEqual([undefined, 2, 5, 8, 11, 14]);
  });

  test('notices a gap, applies nothing beyond it, and subscribes anew', async () => {
    const client = newClient();
    const messages = recorded(client);
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.publish(channel, 'file:1', 'one');
    await until(client, () => offsetOf(client) === 1);
    server.append(channel, 'file:2', 'lost');
    const again = server.next('subscribe');
    server.publish(channel, 'file:3', 'beyond');
    expect((await again).frame.position).toEqual({ epoch: 'e1', offset: 1 });
    await until(client, () => client.channel(channel).state === 'live' && offsetOf(client) === 3);
    expect(messages.map(({ offset }) => offset)).toEqual([1, 2, 3]);
    expect(server.sockets).toHaveLength(1);
  });

  test('shows a step of several frames at once, at its end', async () => {
    for (let n = 0; n < 10; n++) server.append(channel, `file:${n}`, n);
    server.pageSize = 3;
    server.oneStep = true;
    const client = newClient();
    const sizes = new Set<number>();
    client.subscribe(channel, () => sizes.add(client.channel(channel).rows.size));
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    expect([...sizes]).toEqual([0, 10]);
  });

  test('keeps an interrupted step out of sight until the head is reached, though the rest comes in other frames', async () => {
    for (let n = 0; n < 9; n++) server.append(channel, `file:${n}`, n);
    const client = newClient();
    const sizes = new Set<number>();
    const messages = recorded(client);
    client.subscribe(channel, () => sizes.add(client.channel(channel).rows.size));
    server.oneStep = true;
    server.pageSize = 3;
    server.pages = () => 1;
    client.follow(channel);
    client.connect();
    await server.next('ack', ({ frame }) => frame.offset === 3);
    expect(messages).toEqual([]);
    server.oneStep = false;
    server.pageSize = 2;
    server.pages = () => Infinity;
    server.socket.conn.close();
    await client.waitFor('waiting');
    await client.waitFor('live');
    expect([...sizes]).toEqual([0, 9]);
    expect(messages.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('forgets a history the server no longer has, and shows the old rows until the new ones are complete', async () => {
    server.append(channel, 'file:1', 'old');
    server.append(channel, 'file:2', 'old');
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    const seen: Record<string, unknown>[] = [];
    const initials: boolean[] = [];
    client.onMessage((_channel, _message, { initial }) => initials.push(initial));
    client.subscribe(channel, () => seen.push(dataOf(client)));
    server.replaceHistory(channel, 'e2');
    server.append(channel, 'file:1', 'new');
    server.append(channel, 'file:3', 'new');
    server.append(channel, 'file:4', 'new');
    server.pageSize = 1;
    server.socket.conn.close();
    await client.waitFor('waiting');
    await client.waitFor('live');
    const [before, after] = [
      { 'file:1': 'old', 'file:2': 'old' },
      { 'file:1': 'new', 'file:3': 'new', 'file:4': 'new' },
    ];
    expect(seen.map((rows) => JSON.stringify(rows)).filter((rows, index, all) => rows !== all[index - 1])).toEqual(
      [before, after].map((rows) => JSON.stringify(rows)),
    );
    expect(client.channel(channel).position).toEqual({ epoch: 'e2', offset: 3 });
    expect(initials).toEqual([true, true, true]);
  });

  test.each([null, 10])(
    'never says live of rows of a longer history that is gone (reset after the answer: %p ms)',
    async (afterMs) => {
      for (let n = 1; n <= 5; n++) server.append(channel, `file:${n}`, 'old');
      server.resetAfterMs = afterMs;
      const client = newClient();
      client.follow(channel);
      client.connect();
      await client.waitFor('live');
      server.replaceHistory(channel, 'e2');
      server.append(channel, 'file:1', 'new');
      const live = new Set<string>();
      const note = () => client.channel(channel).state === 'live' && live.add(JSON.stringify(dataOf(client)));
      server.socket.conn.close();
      await client.waitFor('waiting');
      client.subscribe(channel, note);
      await client.waitFor('live');
      expect([...live]).toEqual([JSON.stringify({ 'file:1': 'new' })]);
    },
  );

  test('shows nothing of a step that goes beyond the head for which a cut off one was held back', async () => {
    for (let n = 1; n <= 3; n++) server.append(channel, `file:${n}`, n);
    server.oneStep = true;
    server.pageSize = 1;
    server.pages = () => 1;
    const client = newClient();
    client.follow(channel);
    client.connect();
    await server.next('ack');
    server.socket.conn.close();
    await server.next('ack');
    server.append(channel, 'file:4', 4);
    server.append(channel, 'file:5', 5);
    const shown: number[] = [];
    client.subscribe(channel, () => shown.push(client.channel(channel).position?.offset ?? 0));
    server.socket.emit('messages', server.frame(channel, 3, 4, true));
    server.socket.emit('messages', server.frame(channel, 5, 5));
    await client.waitFor('live');
    expect(shown.filter((offset) => offset > 0)[0]).toBe(5);
  });

  test('says where a step ends that was cut off, so that a server set back in between knows', async () => {
    for (let n = 1; n <= 3; n++) server.append(channel, `file:${n}`, n);
    server.oneStep = true;
    server.pageSize = 1;
    server.pages = () => 1;
    const client = newClient();
    client.follow(channel);
    client.connect();
    await server.next('ack');
    server.pages = () => Infinity;
    const again = server.next('subscribe');
    server.socket.conn.close();
    expect((await again).frame).toEqual({
      channel,
      position: { epoch: 'e1', offset: 1 },
      until: { epoch: 'e1', offset: 3 },
    });
    await client.waitFor('live');
    expect(dataOf(client)).toEqual({ 'file:1': 1, 'file:2': 2, 'file:3': 3 });
  });

  test('asks where a new history stands when it is reset after the answer, before anything came', async () => {
    for (let n = 1; n <= 3; n++) server.append(channel, `file:${n}`, 'old');
    server.pages = () => 0;
    const first = server.next('subscribe');
    const client = newClient();
    client.follow(channel);
    client.connect();
    await first;
    server.pages = () => Infinity;
    server.replaceHistory(channel, 'e2');
    server.append(channel, 'file:4', 'new');
    server.socket.emit('reset', { channel, epoch: 'e2', reason: 'epoch_unknown' });
    await until(client, () => client.channel(channel).state === 'live');
    expect(dataOf(client)).toEqual({ 'file:4': 'new' });
  });

  test('asks where a new history stands when it is reset in the middle of a subscription', async () => {
    server.append(channel, 'file:1', 'old');
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.replaceHistory(channel, 'e2');
    server.append(channel, 'file:2', 'new');
    const again = server.next('subscribe');
    server.socket.emit('reset', { channel, epoch: 'e2', reason: 'epoch_unknown' });
    server.socket.emit('messages', server.frame(channel, 1, 1));
    expect((await again).frame).toEqual({ channel });
    await until(client, () => client.channel(channel).state === 'live');
    expect(dataOf(client)).toEqual({ 'file:2': 'new' });
  });

  test('forgets what it had of a channel whose right was taken away, and follows it again when asked', async () => {
    server.append(channel, 'file:1', 'one');
    const store = new MemoryStore();
    const client = newClient({ store });
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.socket.emit('revoked', { channel });
    await until(client, () => client.channel(channel).state === 'revoked');
    expect(client.channel(channel).rows.size).toBe(0);
    expect(await store.load(channel)).toBeNull();
    expect(client.connection.state).toBe('live');

    server.socket.conn.close();
    await client.waitFor('waiting');
    await client.waitFor('live');
    expect(server.of('subscribe')).toHaveLength(1);
    client.follow(channel);
    await until(client, () => client.channel(channel).state === 'live');
    expect(dataOf(client)).toEqual({ 'file:1': 'one' });
  });

  test('forgets a channel that was forbidden while it was away', async () => {
    server.append(channel, 'file:1', 'one');
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.allow = () => wireError('channel_forbidden');
    server.socket.conn.close();
    await until(client, () => client.channel(channel).state === 'revoked');
    expect(client.channel(channel).rows.size).toBe(0);
  });

  test('drops a connection that sends what it cannot read, with the store unharmed', async () => {
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.publish(channel, 'file:1', 'one');
    await until(client, () => offsetOf(client) === 1);
    server.append(channel, 'file:2', 'two');
    const [broken] = server.frame(channel, 2, 2).messages;
    server.socket.emit('messages', { ...server.frame(channel, 2, 2), messages: [{ ...broken, offset: 7 }] });
    await client.waitFor('waiting');
    expect(client.connection.error).toMatchObject({ code: 'frame_unreadable' });
    await client.waitFor('live');
    expect(dataOf(client)).toEqual({ 'file:1': 'one', 'file:2': 'two' });
  });

  test('comes back when the store fails, and acknowledges nothing it did not keep', async () => {
    const store = new MemoryStore();
    const apply = store.apply.bind(store);
    let failures = 1;
    store.apply = (...advance) => (failures-- > 0 ? Promise.reject(new Error('the disk is full')) : apply(...advance));
    server.append(channel, 'file:1', 'one');
    const client = newClient({ store });
    const messages = recorded(client);
    client.follow(channel);
    client.connect();
    await client.waitFor('waiting');
    expect(client.connection.error).toMatchObject({ code: 'store_failed' });
    expect(server.of('ack')).toEqual([]);
    await client.waitFor('live');
    expect(messages).toHaveLength(1);
  });

  test('cuts a line that is dead without being closed', async () => {
    const client = newClient({ timings: { ...quick, pingEveryMs: 20, silenceMs: 20 } });
    client.follow(channel);
    server.answersPings = (socket) => socket !== server.sockets[0];
    client.connect();
    await client.waitFor('waiting');
    expect(client.connection.error).toMatchObject({ code: 'connection_silent' });
    await client.waitFor('live');
    expect(server.sockets.length).toBeGreaterThan(1);
  });
});

describe('compressed frames', () => {
  test('are applied in their place among the others, and so are resets after them', async () => {
    server.deflates = (nth) => nth % 3 !== 0;
    server.pageSize = 2;
    for (let n = 0; n < 20; n++) server.append(channel, `file:${n % 7}`, 'x'.repeat(n * 500));
    const client = newClient();
    const seen: number[] = [];
    client.onMessage((_, { offset }) => seen.push(offset));
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    expect(server.handshakes[0]).toMatchObject({ accept: ['deflate'] });
    for (let n = 20; n < 60; n++) server.publish(channel, `file:${n % 7}`, 'x'.repeat((n % 5) * 2_000));
    await until(client, () => offsetOf(client) === 60);
    expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    server.deflates = () => true;
    server.publish(channel, 'file:1', 'y'.repeat(100_000));
    server.replaceHistory(channel, 'e2');
    server.append(channel, 'file:9', 'of the new history');
    server.socket.emit('reset', { channel, epoch: 'e2', reason: 'epoch_unknown' });
    await until(client, () => client.channel(channel).position?.epoch === 'e2');
    expect([...client.channel(channel).rows.keys()]).toEqual(['file:9']);
  });

  test('that make no sense end the connection, and what is stored goes on from there', async () => {
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.socket.emit('deflated', { data: 'bm90IGNvbXByZXNzZWQ=' });
    await client.waitFor('waiting');
    expect(client.connection.error).toMatchObject({ code: 'frame_unreadable' });
    await client.waitFor('live');
  });
});

describe('acknowledging', () => {
  test('acknowledges after the store has committed, cumulatively, at the pace it is told', async () => {
    const store = new HeldStore();
    const client = newClient({ store });
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.socket.emit('pace', { ackEveryMs: 60_000, ackEveryBytes: 1_500 });
    for (let n = 0; n < 9; n++) server.publish(channel, `file:${n}`, 'x'.repeat(200));
    await store.arrived;
    const acked = server.next('ack');
    // A question and its answer: by then an early acknowledgement would have come too.
    await client.requestSync({ scope: 'band', id: 'b1', mode: 'delta' });
    expect(server.of('ack')).toEqual([]);
    store.release();
    const first = (await acked).frame.offset;
    expect(first).toBeGreaterThan(1);
    expect(first).toBeLessThanOrEqual(offsetOf(client));
    await until(client, () => offsetOf(client) === 9);
    const last = server.next('ack', ({ frame }) => frame.offset === 9);
    client.disconnect();
    await last;
    const offsets = server.of('ack').map(({ offset }) => offset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(offsets.length).toBeLessThan(5);
  });
});

describe('being refused', () => {
  test('stops at a refused token and comes back with a new one', async () => {
    server.admit = ({ token }) => (token === 'good' ? null : wireError('token_expired'));
    let token = 'old';
    const client = newClient({ token: async () => token });
    client.follow(channel);
    client.connect();
    await client.waitFor('refused');
    expect(client.connection).toMatchObject({ error: { code: 'token_expired' }, retryAt: null });
    expect(server.handshakes).toHaveLength(1);
    token = 'good';
    client.connect();
    await client.waitFor('live');
  });

  test('comes back by itself when its source has another token by then', async () => {
    const tokens = ['old', 'good'];
    server.admit = ({ token }) => (token === 'good' ? null : wireError('token_expired'));
    const client = newClient({ token: () => tokens.shift() ?? 'good' });
    const states: string[] = [];
    client.subscribeConnection(() => states.push(client.connection.state));
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    expect(states).not.toContain('refused');
  });

  test('tries again when the server is not ready, and when no token can be had', async () => {
    let troubles = 2;
    server.admit = () => (troubles-- > 0 ? wireError('database_unavailable', true) : null);
    let failures = 1;
    const token = () => (failures-- > 0 ? Promise.reject(new Error('offline')) : Promise.resolve('good'));
    const client = newClient({ token });
    const attempts: number[] = [];
    client.subscribeConnection(() => attempts.push(client.connection.attempt));
    client.connect();
    await client.waitFor('live');
    expect(Math.max(...attempts)).toBe(3);
  });

  test('stays away when the server closes for good, and comes back when it does not', async () => {
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    server.socket.emit('closing', { error: wireError('ack_timeout', true), reconnect: true });
    server.socket.disconnect(true);
    await client.waitFor('waiting');
    expect(client.connection.error?.code).toBe('ack_timeout');
    await client.waitFor('live');
    server.socket.emit('closing', { error: wireError('session_ended'), reconnect: false });
    server.socket.disconnect(true);
    await client.waitFor('refused');
    expect(client.connection.error?.code).toBe('session_ended');
    expect(client.channel(channel).state).toBe('stale');
  });

  test('comes back at the time a draining server gave it', async () => {
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    const told = Date.now();
    server.socket.emit('draining', { retryAfterMs: 120 });
    const [first] = server.sockets;
    await new Promise<void>((resolve) => first?.once('disconnect', () => resolve()));
    expect(Date.now() - told).toBeGreaterThanOrEqual(115);
    await client.waitFor('live');

    const again = Date.now();
    server.socket.emit('draining', { retryAfterMs: 120 });
    server.socket.emit('closing', { error: wireError('shutting_down', true), reconnect: true });
    await client.waitFor('waiting');
    expect(client.connection.retryAt).toBeGreaterThanOrEqual(again + 115);
    await client.waitFor('live');
    expect(Date.now() - again).toBeGreaterThanOrEqual(115);
  });
});

test('a clock that is set back does not bring back what a server once asked for', async () => {
  let setBackMs = 0;
  const client = newClient({ clock: { ...systemClock, now: () => Date.now() - setBackMs } });
  client.follow(channel);
  client.connect();
  await client.waitFor('live');
  server.socket.emit('draining', { retryAfterMs: 50 });
  await client.waitFor('waiting');
  await client.waitFor('live');
  setBackMs = 3_600_000;
  server.socket.disconnect(true);
  await client.waitFor('waiting');
  await client.waitFor('live');
});

describe('reporting files', () => {
  const hash = 'a'.repeat(64);

  test('tells which files are here, and after a reset all of them again', async () => {
    server.append(channel, 'file:1', 'one');
    const client = newClient();
    client.follow(channel);
    client.report(channel, new Map([['file:1', hash]]));
    const reported = server.next('have');
    client.connect();
    expect((await reported).frame).toEqual({ channel, items: [{ key: 'file:1', hash }] });
    await client.waitFor('live');
    const again = server.next('have');
    server.replaceHistory(channel, 'e2');
    server.socket.disconnect();
    expect((await again).frame.items).toEqual([{ key: 'file:1', hash }]);
  });

  test('goes on with a server that knows no such report', async () => {
    server.takesReports = () => wireError('event_unknown');
    const client = newClient();
    client.follow(channel);
    client.report(channel, new Map([['file:1', hash]]));
    client.connect();
    await client.waitFor('live');
    client.report(channel, new Map([['file:1', hash]]));
    const message = server.publish(channel, 'file:1', 'one');
    await until(client, () => offsetOf(client) === message.offset);
    expect(client.connection.state).toBe('live');
  });
});

describe('asking and leaving', () => {
  test('asks for a sync, and rejects with the reason of the server', async () => {
    const client = newClient();
    const request = { scope: 'band', id: 'b1', mode: 'delta' } as const;
    await expect(client.requestSync(request)).rejects.toMatchObject({ code: 'not_connected' });
    client.connect();
    await client.waitFor('live');
    await expect(client.requestSync(request)).resolves.toEqual({ operationId: 'op-1' });
    await expect(client.requestSync({ ...request, mode: 'full' })).rejects.toMatchObject({ code: 'leader_only' });
  });

  test('rests when it is told to, connects again, and is closed for good', async () => {
    const client = newClient();
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    const left = new Promise<void>((resolve) => server.socket.once('disconnect', () => resolve()));
    client.disconnect();
    expect(client.connection).toMatchObject({ state: 'offline', retryAt: null });
    await left;
    client.connect();
    await client.waitFor('live');
    await client.close();
    client.connect();
    expect(client.connection.state).toBe('closed');
    await expect(client.waitFor('live')).rejects.toMatchObject({ code: 'not_connected' });
  });

  test('removes what is stored of a channel it is told to forget', async () => {
    server.append(channel, 'file:1', 'one');
    const store = new MemoryStore();
    const client = newClient({ store });
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    await client.forget(channel);
    expect(await store.channels()).toEqual([]);
    expect(client.channel(channel)).toMatchObject({ state: 'stale', position: null });
  });
});
