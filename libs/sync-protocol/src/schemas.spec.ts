import fc from 'fast-check';
import type { z } from 'zod';
import { bandChannel, channelName, systemChannel, userChannel } from './channel.js';
import { codes, isCode, type Code } from './codes.js';
import { down, up } from './events.js';
import { handshake } from './handshake.js';
import { contentSummary, fileUpdate } from './library.js';
import { limits } from './limits.js';
import { SyncError, wireError } from './sync-error.js';

const word = (max: number): fc.Arbitrary<string> => fc.stringMatching(/^[\w-]+$/).map((text) => text.slice(0, max));
const channel = fc.oneof(
  fc.constant(systemChannel),
  word(64).map(userChannel),
  fc.tuple(word(64), fc.option(word(64))).map(([band, audience]) => bandChannel(band, audience)),
);
const text = (max: number): fc.Arbitrary<string> => fc.string({ minLength: 1, maxLength: max });
const key = (max: number): fc.Arbitrary<string> => text(max).filter((value) => !value.includes('\0'));
const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const epoch = fc.string({ maxLength: 64 });
const rare = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
// JSON has no -0, and the object of no prototype is none of ours.
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const at = fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
const clock = fc.integer();
const error = fc.record({
  code: fc.constantFrom(...(Object.keys(codes) as Code[])),
  message: fc.string(),
  remedy: fc.string(),
  retryable: fc.boolean(),
  details: rare(
    fc.dictionary(
      word(20).filter((name) => name !== '__proto__'),
      json,
    ),
  ),
});
const answer = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.oneof(fc.record({ ok: fc.constant(true), ...fields }), fc.record({ ok: fc.constant(false), error }));
const signal = { channel, type: text(64), key: rare(text(200)), data: json };
const message = fc.record({ offset, id: fc.uuid(), type: text(64), key: rare(text(200)), data: json, at });

/** Whatever may be sent, and what may be answered. */
const validUp: Record<keyof typeof up, { frame: fc.Arbitrary<unknown>; answer: fc.Arbitrary<unknown> }> = {
  subscribe: {
    frame: fc.record({ channel, position: rare(fc.record({ epoch, offset })), until: rare(fc.record({ epoch, offset })) }),
    answer: answer({ epoch, head: offset }),
  },
  unsubscribe: { frame: fc.record({ channel }), answer: answer({}) },
  ack: { frame: fc.record({ channel, offset }), answer: answer({}) },
  have: {
    frame: fc.record({
      channel,
      items: fc.array(fc.record({ key: key(200), hash: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)) }), {
        minLength: 1,
        maxLength: 100,
      }),
    }),
    answer: answer({}),
  },
  sync_request: {
    frame: fc.record({ scope: fc.constantFrom('file', 'band'), id: key(64), mode: fc.constantFrom('delta', 'full') }),
    answer: answer({ operationId: fc.string() }),
  },
  signal: { frame: fc.record(signal), answer: answer({}) },
  ping: { frame: fc.record({ t: clock }), answer: fc.record({ t: clock, serverTime: clock }) },
};
const validDown: Record<keyof typeof down, fc.Arbitrary<unknown>> = {
  pace: fc.record({ ackEveryMs: fc.nat(), ackEveryBytes: fc.integer({ min: 1 }) }),
  messages: fc.record({
    channel,
    epoch,
    from: offset,
    to: offset,
    messages: fc.array(message),
    more: rare(fc.constant(true)),
    until: rare(fc.record({ epoch, offset })),
  }),
  deflated: fc.record({ data: fc.base64String() }),
  reset: fc.record({ channel, epoch, reason: fc.constantFrom(...down.reset.shape.reason.options) }),
  revoked: fc.record({ channel }),
  signal: fc.record({ ...signal, from: rare(fc.record({ userId: fc.string() })) }),
  closing: fc.record({ error, reconnect: fc.boolean() }),
  draining: fc.record({ retryAfterMs: fc.nat() }),
  pong: fc.record({ t: clock, serverTime: clock }),
};

const upEvents = Object.keys(up) as (keyof typeof up)[];
const downEvents = Object.keys(down) as (keyof typeof down)[];
const cases: [string, z.ZodType, fc.Arbitrary<unknown>][] = [
  ...upEvents.flatMap((event): [string, z.ZodType, fc.Arbitrary<unknown>][] => [
    [event, up[event].frame, validUp[event].frame],
    [`the answer to ${event}`, up[event].answer, validUp[event].answer],
  ]),
  ...downEvents.map((event): [string, z.ZodType, fc.Arbitrary<unknown>] => [event, down[event], validDown[event]]),
];

const overTheLine = (frame: unknown): unknown => JSON.parse(JSON.stringify(frame));

test.each(cases)('%s comes out of the line as it went in', (_, schema, frames) => {
  fc.assert(
    fc.property(frames, (frame) => {
      const sent = overTheLine(frame);
      expect(schema.parse(sent)).toEqual(sent);
    }),
  );
});

test.each(cases)('%s with a field that nobody knows is refused', (_, schema, frames) => {
  fc.assert(
    fc.property(frames, (frame) => expect(schema.safeParse({ ...(frame as object), surplus: 1 }).success).toBe(false)),
  );
});

test('no schema throws, whatever comes', () => {
  const schemas = [...cases.map(([, schema]) => schema), handshake, wireError, channelName, fileUpdate, contentSummary];
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
      (value) => {
        for (const schema of schemas) schema.safeParse(value);
      },
    ),
  );
});

test('a channel is named by what its ids may hold, and by nothing else', () => {
  fc.assert(fc.property(channel, (name) => expect(channelName.safeParse(name).success).toBe(true)));
  for (const name of [
    '',
    'system:x',
    'user:',
    'user:a:b',
    'band:',
    'band:a:',
    'band:a:b:c',
    'band:a b',
    'band:ä',
    'band:a\n',
    `user:${'x'.repeat(65)}`,
    'other:a',
  ]) {
    expect(channelName.safeParse(name).success).toBe(false);
  }
});

test('a handshake may hold fields of a later client, but not lack one of today', () => {
  const good = { token: 't', deviceId: 'tablet-7f3a91c2', protocol: 1 };
  expect(handshake.parse({ ...good, colour: 'blue' })).toEqual({ ...good, durable: true, accept: [] });
  for (const field of Object.keys(good)) expect(handshake.safeParse({ ...good, [field]: undefined }).success).toBe(false);
  for (const deviceId of ['short', 'x'.repeat(65), 'with space', '../../up'])
    expect(handshake.safeParse({ ...good, deviceId }).success).toBe(false);
});

test('offsets are whole numbers that every JSON reader can hold', () => {
  for (const wrong of [-1, 0.5, 2 ** 53, Infinity, NaN, '1', null]) {
    expect(up.ack.frame.safeParse({ channel: 'system', offset: wrong }).success).toBe(false);
  }
});

test.each(Object.keys(codes) as Code[])('an error of code %s travels with its remedy, without stack and cause', (code) => {
  const sent = overTheLine(new SyncError(code, 'It failed.', {}, { cause: new Error('select secret from users') }).toWire());
  expect(wireError.parse(sent)).toEqual({
    code,
    message: 'It failed.',
    remedy: codes[code].remedy,
    retryable: codes[code].retryable,
  });
  expect(codes[code].remedy).toMatch(/^[A-Z].*\.$/);
  expect(isCode(code)).toBe(true);
});

test('names that only look like codes are none', () => {
  for (const name of ['toString', '__proto__', 'constructor', '', 7, null]) expect(isCode(name)).toBe(false);
});

test('a file is reported by a key that a database can store, and a whole hash', () => {
  const accepts = (key: string, hash: string): boolean =>
    up.have.frame.safeParse({ channel: 'system', items: [{ key, hash }] }).success;
  const hash = '0a'.repeat(32);
  expect(['file:1', 'Lied:Für Elise 🎹'].map((key) => accepts(key, hash))).toEqual([true, true]);
  expect(['', 'a\0b', 'half \ud83c', 'x'.repeat(201)].map((key) => accepts(key, hash))).toEqual(Array(4).fill(false));
  expect(['', hash.slice(1), hash.toUpperCase(), `${hash}\n`].map((wrong) => accepts('file:1', wrong))).toEqual(
    Array(4).fill(false),
  );
});

test('what a client may send fits into a packet that the transport reads', () => {
  expect(limits.upFrameBytes).toBeLessThan(limits.packetBytes);
});
