import { createHash } from 'node:crypto';
import { Random } from '../chaos/random.js';
import { inMemory, type MakeDatabase } from './database.js';
import { seedChance } from './chance.js';
import { faults, heal, work } from './faults.js';
import { Schedule } from './schedule.js';
import { channels, World } from './world.js';

export interface RunOptions {
  make?: MakeDatabase;
  /** How many things are done to the world. */
  deeds?: number;
  /** Of what happened, so many of the last lines are kept. */
  keepLines?: number;
}

export interface Outcome {
  seed: number;
  failure: Error | null;
  /** Of everything that happened, in order. */
  hash: string;
  /** The last things that happened. */
  lines: string[];
  things: number;
}

/** After the last fault everybody must have everything within this time. */
const restWithinMs = 120_000;

/** When something was published, by the database's own clock. */
const times = /"at":"[^"]*"/g;

/** One world from its beginning to its end, all of it drawn from the seed. */
export async function runSeed(
  seed: number,
  { make = inMemory, deeds = 120, keepLines = 0 }: RunOptions = {},
): Promise<Outcome> {
  const random = new Random(seed);
  const lines: string[] = [];
  const hash = createHash('sha256');
  let things = 0;
  const happened = (line: string): void => {
    things += 1;
    hash.update(line.replaceAll(times, '')).update('\n');
    if (keepLines > 0 && lines.push(line) > keepLines) lines.shift();
  };
  const schedule = new Schedule(random, happened);
  const uninstall = schedule.install();
  const unseed = seedChance(seed);
  try {
    const world = new World(schedule, random);
    const failure = await live(world, make, deeds, happened).catch((error: unknown) => error as Error);
    return { seed, failure, hash: hash.digest('hex'), lines, things };
  } finally {
    unseed();
    uninstall();
  }
}

async function live(
  world: World,
  make: MakeDatabase,
  deeds: number,
  happened: (line: string) => void,
): Promise<Error | null> {
  const { random, schedule } = world;
  const faultsOf100 = random.pick([0, 15, 40]);
  await world.begin(make, random.between(1, 3), random.between(1, 4));
  for (let left = deeds; left > 0 && !world.failure; left--) {
    const [name, deed] = draw(world, random.chance(faultsOf100 / 100) ? faults : work);
    happened(`── ${name}`);
    await deed(world);
    for (let steps = random.pick([0, 1, 2, 5, 10, 40]); steps > 0 && !world.failure; steps--) await schedule.step();
  }
  happened('── heal');
  await heal(world);
  const until = schedule.now + restWithinMs;
  let missing = missingIn(world);
  for (let n = 1; missing && schedule.now < until && !world.failure; n++) {
    await schedule.step();
    if (n % 20 > 0) continue;
    await heal(world);
    missing = missingIn(world);
  }
  if (world.failure) return world.failure;
  if (missing) return new Error(`after ${restWithinMs / 1000} s ${missing}`);
  for (const channel of channels) world.truth.check(channel, world.model.now(channel));
  return null;
}

function missingIn(world: World): string | null {
  if (!world.isAtRest) return 'the outbox is not empty, or a transaction not over';
  for (const device of world.devices) {
    const missing = device.incomplete((channel) => world.truth.mayFollow(device.userId, channel));
    if (missing) return missing;
  }
  return null;
}

type Deeds = typeof work;

function draw({ random }: World, from: Deeds): [string, Deeds[number][2]] {
  let left = random.between(
    1,
    from.reduce((sum, [weight]) => sum + weight, 0),
  );
  const [, name, deed] = from.find(([weight]) => (left -= weight) <= 0)!;
  return [name, deed];
}
