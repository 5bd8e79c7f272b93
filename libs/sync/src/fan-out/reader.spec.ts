import type { Position } from '@soleil/sync-protocol';
import fc from 'fast-check';
import { FanOutWorld, nextTurn } from '../../test/fan-out-world.js';
import type { Batch } from '../log/sequence-batch.js';
import type { PositionLoss } from './history.js';

/**
 * Readers against the model of a log, under any order of events that a node can meet. fast-check prints seed and path of a
 * run that fails, and shrinks it; `fc.assert(property, { seed, path })` repeats it.
 */
const channels = ['band:a', 'band:b'] as const;

const channel = fc.constantFrom(...channels);
const socket = fc.nat({ max: 3 });
const entry = fc.record({ key: fc.constantFrom('k1', 'k2', 'k3', null), gone: fc.boolean() });
const wanted = fc.oneof(
  fc.constant({ from: 'start' as const }),
  fc.record({ from: fc.constant('position' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.constantFrom({ from: 'unknown' as const }, { from: 'ahead' as const }),
);

const anyStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('append' as const),
      channel,
      entries: fc.array(entry, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ does: fc.constant('deliver' as const), nth: fc.nat({ max: 5 }), again: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const), nth: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('hear' as const), channel, behind: fc.nat({ max: 4 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('answer' as const), nth: fc.nat({ max: 5 }), fresh: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('fail' as const), nth: fc.nat({ max: 5 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('acknowledge' as const), socket, channel, back: fc.nat({ max: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('subscribe' as const), socket, channel, wanted }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('unsubscribe' as const), socket, channel }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('changeLeader' as const) }) },
);
const retention = fc.record({
  does: fc.constant('prune' as const),
  channel,
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});
type Step = typeof anyStep | typeof retention extends fc.Arbitrary<infer S> ? S : never;

/** How far promises get before the next event comes: not at all, a step or two, or until nothing is left to run. */
const pause = fc.constantFrom(0, 1, 2, 3, 5, 'turn' as const);

const scriptOf = (step: fc.Arbitrary<Step>) =>
  fc.record({
    options: fc.record({
      channels: fc.constant(channels),
      sockets: fc.constant(4),
      windowBytes: fc.constantFrom(1, 400, 1_500, 100_000),
      tailMessages: fc.constantFrom(1, 4, 20),
      pageMessages: fc.integer({ min: 1, max: 6 }),
      frameBytes: fc.constantFrom(1, 300, 100_000),
      socketsPerTurn: fc.constantFrom(1, 2, 64),
      compactAfterMessages: fc.constantFrom(2, 8, 1_000),
    }),
    steps: fc.array(fc.record({ step, pause }), { maxLength: 120, size: 'max' }),
  });

type Script = ReturnType<typeof scriptOf> extends fc.Arbitrary<infer S> ? S : never;

test('every reader is sent each message after its position exactly once, in order, within its window, and becomes complete', async () => {
  await fc.assert(fc.asyncProperty(scriptOf(anyStep), play), { numRuns: 300 });
});

test('a reader that retention passes has what the log says all the same, and every event since it began', async () => {
  const script = scriptOf(fc.oneof({ weight: 12, arbitrary: anyStep }, { weight: 1, arbitrary: retention }));
  await fc.assert(fc.asyncProperty(script, play), { numRuns: 100 });
});

async function play({ options, steps }: Script): Promise<void> {
  const world = new FanOutWorld(options);
  const subscribing: Promise<void>[] = [];
  const undelivered: Batch[] = [];
  for (const { step, pause: wait } of steps) {
    const started = take(step, world, undelivered);
    if (started) subscribing.push(started);
    if (wait === 'turn') await nextTurn();
    else for (let n = 0; n < wait; n++) await Promise.resolve();
  }
  await world.comeToRest();
  await Promise.all(subscribing);
  world.check();
}

function take(step: Step, world: FanOutWorld, undelivered: Batch[]): Promise<void> | void {
  switch (step.does) {
    case 'append':
      undelivered.push(world.append(step.channel, step.entries));
      return;
    case 'deliver': {
      const [batch] = step.again ? undelivered.slice(step.nth, step.nth + 1) : undelivered.splice(step.nth, 1);
      if (batch) world.hub(batch.channel).deliver(batch);
      return;
    }
    case 'lose':
      undelivered.splice(step.nth, 1);
      return;
    case 'hear':
      world
        .hub(step.channel)
        .hear(world.log.positionOf(step.channel, Math.max(world.log.headOf(step.channel) - step.behind, 0)));
      return;
    case 'answer':
      world.log.pending.splice(step.nth, 1)[0]?.answer(step.fresh);
      return;
    case 'fail':
      world.log.pending.splice(step.nth, 1)[0]?.fail();
      return;
    case 'acknowledge': {
      const device = world.sockets[step.socket]!;
      const frames = device.subscriptions.get(step.channel)?.frames ?? [];
      const acknowledged = frames.at(-1 - step.back);
      if (acknowledged) device.acknowledge(step.channel, acknowledged.to);
      return;
    }
    case 'subscribe': {
      const [position, loss] = positionOf(step.wanted, step.channel, world);
      return world.subscribe(world.sockets[step.socket]!, step.channel, position, loss);
    }
    case 'unsubscribe':
      world.unsubscribe(world.sockets[step.socket]!, step.channel);
      return;
    case 'changeLeader':
      world.log.changeLeader();
      return;
    case 'prune':
      world.log.prune(step.channel, Math.floor(step.share * world.log.headOf(step.channel)));
  }
}

/** A device may bring any position of the log, from whichever node it got it, and any that no log ever had. */
function positionOf(
  from: typeof wanted extends fc.Arbitrary<infer W> ? W : never,
  name: string,
  { log }: FanOutWorld,
): [Position | null, PositionLoss | null] {
  const head = log.headOf(name);
  if (from.from === 'start') return [null, null];
  if (from.from === 'unknown') return [{ epoch: 'of another database', offset: 1 }, 'epoch_unknown'];
  if (from.from === 'ahead') {
    const epoch = log.epochAt(name, head);
    return [{ epoch, offset: head + 1_000 }, epoch === '' ? 'epoch_unknown' : 'position_ahead'];
  }
  const offset = Math.floor(from.share * head);
  return [{ epoch: log.epochAt(name, offset), offset }, null];
}

test('goes on after the second of two acknowledgements that come in one turn', async () => {
  const world = worldOf({ windowBytes: 300 });
  const device = world.sockets[0]!;
  await Promise.all([follow(world, 'band:a'), follow(world, 'band:b')]);
  for (let n = 0; n < 2; n++) {
    world.hub('band:a').deliver(world.append('band:a', [{ key: null, gone: false }]));
    await world.quiet();
  }
  expect(device.window.isFull).toBe(true);
  const [first, last] = device.subscriptions.get('band:a')!.frames;
  device.acknowledge('band:a', first!.to);
  device.acknowledge('band:a', last!.to);
  expect(device.rooms.sort()).toEqual(['band:a', 'band:b']);
});

test('joins the room only once less than half of the window is unacknowledged', async () => {
  const world = worldOf({ windowBytes: 300 });
  const device = world.sockets[0]!;
  await follow(world, 'band:a');
  for (let n = 0; n < 2; n++) {
    world.hub('band:a').deliver(world.append('band:a', [{ key: null, gone: false }]));
    await world.quiet();
  }
  const [first, last] = device.subscriptions.get('band:a')!.frames;
  device.acknowledge('band:a', first!.to);
  await nextTurn();
  expect([device.window.isFull, device.window.isBelowHalf, device.rooms]).toEqual([false, false, []]);
  device.acknowledge('band:a', last!.to);
  expect(device.rooms).toEqual(['band:a']);
});

test('gives a reader far behind the latest of each key, as one step that ends at the head of its beginning', async () => {
  const world = worldOf({ pageMessages: 2, compactAfterMessages: 3 });
  for (const key of ['x', 'y', 'x', 'z', 'y', 'w']) world.append('band:a', [{ key, gone: false }]);
  const following = world.subscribe(world.sockets[0]!, 'band:a', null, null);
  await world.comeToRest();
  await following;
  const frames = world.sockets[0]!.subscriptions.get('band:a')!.frames;
  expect(
    frames.map(({ from, to, more, messages }) => ({ from, to, more, offsets: messages.map(({ offset }) => offset) })),
  ).toEqual([
    { from: 1, to: 4, more: true, offsets: [3, 4] },
    { from: 5, to: 6, more: undefined, offsets: [5, 6] },
  ]);
});

test('reads for no more channels at a time than its window will take', async () => {
  const names = Array.from({ length: 10 }, (_, n) => `band:${n}`);
  const world = worldOf({ channels: names });
  for (const name of names) world.append(name, [{ key: 'x', gone: false }]);
  const following = names.map((name) => world.subscribe(world.sockets[0]!, name, null, null));
  await nextTurn();
  world.log.answerAll();
  await nextTurn();
  expect(world.log.pending).toHaveLength(2);
  await world.comeToRest();
  await Promise.all(following);
  world.check();
});

test('serves all who stand at one place from one read', async () => {
  const world = worldOf();
  world.append('band:a', [{ key: null, gone: false }]);
  const following = world.sockets.map((device) => world.subscribe(device, 'band:a', null, null));
  await nextTurn();
  expect(world.log.pending).toHaveLength(1);
  world.log.answerAll();
  await nextTurn();
  expect(world.log.pending).toHaveLength(1);
  await world.comeToRest();
  await Promise.all(following);
  world.check();
});

function worldOf(options: Partial<ConstructorParameters<typeof FanOutWorld>[0]> = {}): FanOutWorld {
  return new FanOutWorld({
    channels,
    sockets: 3,
    windowBytes: 100_000,
    tailMessages: 10,
    pageMessages: 10,
    socketsPerTurn: 64,
    frameBytes: 100_000,
    compactAfterMessages: 100,
    ...options,
  });
}

async function follow(world: FanOutWorld, name: string): Promise<void> {
  const following = world.subscribe(world.sockets[0]!, name, null, null);
  await world.comeToRest();
  await following;
}
