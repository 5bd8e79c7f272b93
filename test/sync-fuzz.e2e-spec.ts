import { handshake, isCode, protocolVersion, up, type UpEvent, type WireError } from '@soleil/sync-protocol';
import fc from 'fast-check';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { next, startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

/** What the server tells of anything it refuses. */
type Refusal = { ok: false; error: WireError };

const events = Object.keys(up) as UpEvent[];
const anything = fc.anything({ withDate: true, withNullPrototype: true, maxDepth: 3 });
/** A frame that fits, but for what is done to it. */
const nearly = fc.record(
  {
    channel: fc.constantFrom<unknown>('band:b1', 'band:b1:Bb', 'system', 'user:tina', 'user:alma', 'band:b2', 'nonsense', 7),
    position: fc.oneof(
      fc.record({ epoch: fc.string(), offset: fc.oneof(fc.nat(), fc.constantFrom(-1, 1.5, 1e300)) }),
      anything,
    ),
    offset: fc.oneof(fc.nat(5), fc.constantFrom(-1, 0.1, 2 ** 53, '1', null)),
    items: fc.oneof(fc.array(fc.record({ key: fc.string(), hash: fc.oneof(fc.constant(null), fc.string()) })), anything),
    scope: fc.constantFrom('file', 'band', 'all'),
    id: fc.oneof(fc.string(), anything),
    mode: fc.constantFrom('delta', 'full', 'none'),
    type: fc.oneof(fc.string(), anything),
    key: fc.oneof(fc.string(), anything),
    data: anything,
    t: fc.oneof(fc.integer(), anything),
    surplus: anything,
  },
  { requiredKeys: [] },
);
/** Only the fields that the event has, so that some of them get beyond the schema. */
const frameOf = (event: UpEvent): fc.Arbitrary<unknown> => {
  const known = Object.keys(up[event].frame.shape);
  const fitting = nearly.map((frame) => Object.fromEntries(Object.entries(frame).filter(([name]) => known.includes(name))));
  return fc.oneof({ weight: 4, arbitrary: fitting }, { weight: 1, arbitrary: nearly }, { weight: 1, arbitrary: anything });
};

describe('whatever a client sends', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  let socket: Socket;

  beforeAll(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, { framesPerSecond: 1_000_000, subscriptionsPerConnection: 3 });
    sync.band.join('tina', 'b1', 'trumpet');
    sync.band.join('alma', 'b2', 'alto sax');
    socket = stockClient(sync.url, { token: 'tina' });
    await next(socket, 'connect');
  });
  afterAll(async () => {
    socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const isServed = async (): Promise<void> => {
    const pong = next(socket, 'pong');
    socket.emit('ping', { t: 1 });
    await pong;
    expect(socket.connected).toBe(true);
  };
  const ask = (event: string, ...frames: unknown[]): Promise<Refusal | { ok: true }> =>
    socket.timeout(10_000).emitWithAck(event, ...frames) as never;
  /** A `ping` that is taken is answered by the event `pong`, and by nothing else. */
  const answerTo = async (event: UpEvent, frame: unknown): ReturnType<typeof ask> => {
    if (event !== 'ping') return ask(event, frame);
    const pong = next<object>(socket, 'pong').then((answer) => ({ ok: true as const, ...answer }));
    return Promise.race([pong, ask(event, frame)]).finally(() => socket.off('pong'));
  };
  const overTheLine = (given: unknown): unknown => (JSON.parse(JSON.stringify([given])) as [unknown])[0];
  const expectCoded = (error: WireError): void => {
    expect(isCode(error.code)).toBe(true);
    expect(error.code).not.toBe('internal_error');
    expect(error.remedy).toMatch(/\w/);
    expect(JSON.stringify(error)).not.toMatch(/\bat .+:\d+:\d+|select |insert |sync_message/i);
  };

  it.each(events)(
    '%s: is answered, with a code where it does not fit, and taken only where the schema takes it',
    async (event) => {
      await fc.assert(
        fc.asyncProperty(frameOf(event), async (frame) => {
          const answer = await answerTo(event, frame);
          const fits = up[event].frame.safeParse(overTheLine(frame)).success;
          if (event === 'ping') expect(answer.ok).toBe(fits);
          else expect(up[event].answer.safeParse(answer).success).toBe(true);
          if (answer.ok) expect(fits).toBe(true);
          else expectCoded(answer.error);
        }),
        { numRuns: 300 },
      );
      await isServed();
    },
  );

  it('an event that does not exist, with any number of arguments, bytes among them', async () => {
    const name = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'),
    );
    const argument = fc.oneof(
      anything,
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    // Socket.IO keeps these for itself, on both sides.
    const reserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener', ...events];
    await fc.assert(
      fc.asyncProperty(
        name.filter((word) => !reserved.includes(word)),
        fc.array(argument, { maxLength: 4 }),
        async (event, frames) => {
          const answer = (await ask(event, ...frames)) as Refusal;
          expect(answer).toMatchObject({ ok: false, error: { code: 'event_unknown' } });
        },
      ),
      { numRuns: 200 },
    );
    await isServed();
  });

  it('bytes where JSON is due', async () => {
    for (const event of events) {
      const answer = (await ask(event, Buffer.from('{"channel":"band:b1"}'))) as Refusal;
      expect(answer).toMatchObject({ ok: false, error: { code: 'frame_invalid' } });
    }
    await isServed();
  });

  it('packets that are not Socket.IO: only that connection ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 40 }), async (packet) => {
        const broken = stockClient(sync.url, { token: 'tina' });
        await next(broken, 'connect');
        broken.io.engine.send(packet);
        const pong = Promise.race([next(broken, 'pong'), next(broken, 'disconnect')]);
        broken.emit('ping', { t: 1 });
        await pong;
        broken.disconnect();
      }),
      { numRuns: 40 },
    );
    await isServed();
  });

  it('a handshake of any kind: let in only where the schema lets it in, else refused with a code', async () => {
    const mostly = <Good>(good: fc.Arbitrary<Good>): fc.Arbitrary<unknown> =>
      fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: anything });
    const auth = fc.record(
      {
        token: mostly(fc.constant('tina')),
        deviceId: mostly(fc.constant('device-12345678')),
        protocol: mostly(fc.constant(protocolVersion)),
        deviceName: mostly(fc.string({ minLength: 1, maxLength: 45, unit: 'binary' })),
        durable: mostly(fc.boolean()),
        accept: mostly(fc.array(fc.string({ maxLength: 40 }), { maxLength: 10 })),
      },
      { requiredKeys: [] },
    );
    let letIn = 0;
    await fc.assert(
      fc.asyncProperty(auth, async (given) => {
        const client = stockClient(sync.url, { deviceId: undefined, ...given });
        const refusal = await Promise.race([
          next<Error & { data: WireError }>(client, 'connect_error'),
          next(client, 'connect').then(() => null),
        ]);
        client.disconnect();
        if (refusal) return expectCoded(refusal.data);
        letIn += 1;
        expect(given).toMatchObject({ token: 'tina' });
        const presented = overTheLine({ protocol: protocolVersion, ...given });
        expect(handshake.safeParse(presented).success).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect(letIn).toBeGreaterThan(0);
    await isServed();
  });
});
