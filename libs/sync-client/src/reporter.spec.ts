import type { WireError } from '@soleil/sync-protocol';
import { ManualClock } from '../test/manual-clock.js';
import { Reporter } from './reporter.js';

const channel = 'band:b1';
const a = 'a'.repeat(64);
const b = 'b'.repeat(64);
const refusal = (retryable: boolean): WireError => ({ code: 'c', message: 'm', remedy: 'r', retryable });

interface Asked {
  channel: string;
  items: { key: string; hash: string | null }[];
}

/** A server that answers when the test says so. */
class Server {
  readonly frames: Asked[] = [];
  #answer: (answer: object) => void = () => undefined;
  #lose: (error: Error) => void = () => undefined;

  readonly ask = (_: 'have', frame: Asked): Promise<never> => {
    this.frames.push(frame);
    return new Promise<never>((resolve, reject) => {
      this.#answer = resolve as never;
      this.#lose = reject;
    });
  };

  async answers(answer: object = { ok: true }): Promise<void> {
    this.#answer(answer);
    await settled();
  }

  async isLost(reporter: Reporter): Promise<void> {
    reporter.detach();
    this.#lose(new Error('gone'));
    await settled();
  }

  get last(): Record<string, string | null> {
    return Object.fromEntries(this.frames.at(-1)!.items.map(({ key, hash }) => [key, hash]));
  }
}

/** Whatever was settled has been taken note of. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let reporter: Reporter;
let server: Server;
let later: (() => void)[];

beforeEach(() => {
  clock = new ManualClock();
  later = [];
  reporter = new Reporter(clock, (_, call) => later.push(call));
  server = new Server();
});

const attach = (to = server): void => reporter.attach(to as never);
const report = (held: Record<string, string | null>, name = channel): void =>
  reporter.report(name, new Map(Object.entries(held)));

test('says what is here once there is a connection, then only what changed, one frame at a time', async () => {
  report({ one: a, two: null });
  expect(server.frames).toEqual([]);
  attach();
  expect(server.last).toEqual({ one: a, two: null });
  report({ one: a, two: a });
  report({ one: a, two: b, three: a });
  expect(server.frames).toHaveLength(1);
  await server.answers();
  expect(server.last).toEqual({ two: b, three: a });
  await server.answers();
  report({ one: a, two: b, three: a });
  expect(server.frames).toHaveLength(2);
});

test('says of a file that is not wanted any more that it is gone, once', async () => {
  report({ one: a, two: null });
  attach();
  await server.answers();
  report({});
  expect(server.last).toEqual({ one: null });
  await server.answers();
  report({});
  expect(server.frames).toHaveLength(2);
});

test('says many files in several frames', async () => {
  report(Object.fromEntries(Array.from({ length: 230 }, (_, n) => [`file:${n}`, a])));
  attach();
  await server.answers();
  await server.answers();
  await server.answers();
  expect(server.frames.map(({ items }) => items.length)).toEqual([100, 100, 30]);
  expect(new Set(server.frames.flatMap(({ items }) => items.map(({ key }) => key))).size).toBe(230);
});

test('says on the next connection what was not confirmed, and nothing that was', async () => {
  report({ one: a });
  attach();
  await server.answers();
  report({ one: a, two: b });
  await server.isLost(reporter);
  const next = new Server();
  attach(next);
  expect(next.frames).toEqual([{ channel, items: [{ key: 'two', hash: b }] }]);
});

test('says everything again to a server that may have forgotten the device, or whose history is another one', async () => {
  report({ one: a });
  attach();
  await server.answers();
  reporter.forgetTold(channel);
  expect(server.last).toEqual({ one: a });
  await server.answers();
  await server.isLost(reporter);
  clock.pass(29 * 60_000);
  const soon = new Server();
  attach(soon);
  expect(soon.frames).toEqual([]);
  reporter.detach();
  clock.pass(31 * 60_000);
  const late = new Server();
  attach(late);
  expect(late.last).toEqual({ one: a });
});

test('tries again what the server could not store, and leaves alone what it will not take', async () => {
  report({ one: a });
  report({ other: b }, 'band:b2');
  attach();
  await server.answers({ ok: false, error: refusal(true) });
  expect(server.frames).toHaveLength(1);
  later[0]!();
  expect(server.last).toEqual({ one: a });
  await server.answers({ ok: false, error: refusal(false) });
  expect(server.frames.at(-1)).toEqual({ channel: 'band:b2', items: [{ key: 'other', hash: b }] });
  await server.answers();
  expect(server.frames).toHaveLength(3);
});

test('says nothing more of a channel that was dropped', () => {
  report({ one: a });
  reporter.drop(channel);
  attach();
  expect(server.frames).toEqual([]);
});
