import { setMaxListeners } from 'node:events';
import { jest } from '@jest/globals';
import { googleLimits, Quota as Google, type QuotaLimits } from '../../../../test/fake-drive/quota.js';
import { Quota } from './quota.js';
import { units } from './units.js';

const minuteMs = 60_000;
/** Of the long run. `npm run quota:hour` has it go on for an hour, which takes some twenty seconds. */
const minutes = Number(process.env['QUOTA_MINUTES'] ?? 10);

/**
 * Users of one Google project, in simulated time: it goes on from timer to timer, so that an hour takes seconds. What is
 * granted reaches Google after a journey that is longer for some requests than for others. Google's side is that of the
 * fake Drive, which refuses what would be too much in any sixty seconds whatever.
 */
class Simulation {
  readonly google: Google;
  readonly users: User[];
  /** How long the next request is on its way. */
  journeyMs = (): number => 20 + this.random() * 480;
  private readonly quota: Quota;
  private seed = 42;

  constructor(users: number, limits: QuotaLimits = googleLimits) {
    this.google = new Google(Date, limits);
    this.quota = new Quota({ unitsPerMinutePerUser: limits.perUser, unitsPerMinutePerProject: limits.perProject });
    this.users = Array.from({ length: users }, (_, i) => {
      const ending = new AbortController();
      setMaxListeners(0, ending.signal);
      return { name: `user ${i}`, waitsMs: [], units: 0, ending };
    });
  }

  /** Resolves when the request may go out, and sends it on its way. */
  async request(user: User, cost: number): Promise<void> {
    const askedAt = Date.now();
    const grant = this.quota.of(user.name).take('band', cost, user.ending.signal);
    // Who waits at the end goes on waiting.
    await grant.catch(() => new Promise(() => undefined));
    user.units += cost;
    user.waitsMs.push(Date.now() - askedAt);
    setTimeout(() => this.arrive(user, cost), this.journeyMs());
  }

  /** A file that is brought up to date. */
  async sync(user: User): Promise<void> {
    await this.request(user, units.read);
    await this.request(user, units.download);
  }

  /** Has files to sync without an end, eight at a time. */
  keepBusy(user: User): void {
    const next = (): Promise<void> => this.sync(user).then(next);
    for (let i = 0; i < 8; i += 1) void next();
  }

  /** Again and again, for each user at another time. */
  every(ms: number, happens: () => void): void {
    const again = (): void => {
      setTimeout(again, ms);
      happens();
    };
    setTimeout(again, this.random() * ms);
  }

  async run(ms: number): Promise<void> {
    const end = Date.now() + ms;
    setTimeout(() => undefined, ms);
    while (Date.now() < end) {
      await new Promise((resolve) => setImmediate(resolve));
      jest.advanceTimersToNextTimer();
    }
  }

  /** Nobody asks for anything any more. */
  end(): void {
    for (const { ending } of this.users) ending.abort();
  }

  /** From 0 to 1, the same in every run. */
  private random(): number {
    this.seed = (this.seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return this.seed / 2 ** 32;
  }

  private arrive(user: User, cost: number): void {
    try {
      this.google.spend(user.name, cost);
    } catch {
      // Google counts its refusals itself.
    }
  }
}

interface User {
  name: string;
  /** Of each granted request. */
  waitsMs: number[];
  /** Granted so far. */
  units: number;
  /** Each has its own: a listener more costs the longer the more there are on one signal. */
  ending: AbortController;
}

let simulation: Simulation;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(async () => {
  simulation.end();
  await new Promise((resolve) => setImmediate(resolve));
  jest.useRealTimers();
});

/** How evenly something is shared out: 1 where all have the same, 1/n where one of n has all (Jain's index). */
function evenness(shares: number[]): number {
  const sum = shares.reduce((one, other) => one + other, 0);
  return sum ** 2 / (shares.length * shares.reduce((squares, share) => squares + share ** 2, 0));
}

const longest = ({ waitsMs }: User): number => Math.max(...waitsMs);

it('gives fifty users who ask for 95 % of the quota what they ask for, without a refusal', async () => {
  simulation = new Simulation(50);
  const { users, google } = simulation;
  // All look for changes every five seconds, and once a minute each has a band with a whole folder of files to sync.
  const perMinute = (googleLimits.perProject * 0.95) / users.length;
  const files = (perMinute - 12 * units.list) / (units.read + units.download);
  for (const user of users) {
    simulation.every(5_000, () => void simulation.request(user, units.list));
    let due = 0;
    simulation.every(minuteMs, () => {
      for (due += files; due >= 1; due -= 1) void simulation.sync(user);
    });
  }
  await simulation.run(minuteMs);
  const before = google.spent;
  await simulation.run((minutes - 1) * minuteMs);
  expect(google.refusals).toBe(0);
  expect((google.spent - before) / (minutes - 1) / googleLimits.perProject).toBeCloseTo(0.95, 3);
  // A folder alone takes its user four seconds, at a user's 325,000 units a minute. Nobody waits much longer than that.
  expect(Math.max(...users.map(longest))).toBeLessThan(8_000);
  expect(evenness(users.map(({ units }) => units))).toBeGreaterThan(0.999);
}, 600_000);

it('shares the quota out evenly when all want more than there is, and still spends 95 % of it', async () => {
  simulation = new Simulation(50);
  const { users, google } = simulation;
  for (const user of users) simulation.keepBusy(user);
  await simulation.run(10 * minuteMs);
  expect(google.refusals).toBe(0);
  expect(google.spent / 10 / googleLimits.perProject).toBeGreaterThan(0.95);
  const shares = users.map(({ units }) => units);
  expect(Math.max(...shares) / Math.min(...shares)).toBeLessThan(1.01);
});

it('lets nobody wait for a user who wants everything, and gives that one what a user may have', async () => {
  simulation = new Simulation(50);
  const [greedy, ...others] = simulation.users;
  simulation.keepBusy(greedy!);
  for (const user of others) simulation.every(5_000, () => void simulation.sync(user));
  await simulation.run(10 * minuteMs);
  expect(simulation.google.refusals).toBe(0);
  // What is left of a second and too little for a download is lost: 2 % of a user's quota.
  expect(greedy!.units / 10 / googleLimits.perUser).toBeGreaterThan(0.94);
  expect(Math.max(...others.map(longest))).toBe(0);
});

it('counts on requests that are overtaken by later ones', async () => {
  simulation = new Simulation(50);
  // The first window is opened with next to nothing, spent at its end, and what it holds travels for almost a second.
  simulation.journeyMs = () => 900;
  await simulation.request(simulation.users[0]!, units.read);
  await simulation.run(950);
  for (const user of simulation.users) simulation.keepBusy(user);
  await simulation.run(50);
  simulation.journeyMs = () => 1;
  await simulation.run(2 * minuteMs);
  expect(simulation.google.refusals).toBe(0);
});

it('keeps within a quota that is hardly enough for anything', async () => {
  simulation = new Simulation(3, { perUser: 405, perProject: 810 });
  for (const user of simulation.users) simulation.keepBusy(user);
  await simulation.run(30 * minuteMs);
  expect(simulation.google.refusals).toBe(0);
  expect(Math.min(...simulation.users.map(({ units }) => units))).toBeGreaterThan(1_000);
});
