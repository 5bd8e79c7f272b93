import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import type { Arena } from '../arena.js';
import { median, rounded, verdict, type Measure, type Verdict } from '../measure.js';
import { percentile } from '../report.js';
import type { BareLoop } from '../queues/bare-loop.js';
import { bareLoop } from '../queues/bare-loop.js';
import { BullMq, bullmq } from '../queues/bullmq.js';
import { faultsOf, workOff } from '../queues/crew.js';
import { type KindName } from '../queues/kinds.js';
import { operationOf, ours, OurSide } from '../queues/ours.js';
import { claim } from '../../libs/sync/src/queue/lease-statements.js';

const atOnce = 10;
const single = { files: 0, perFile: 1, ordered: false };

export const operations: Measure = {
  name: 'operations',
  about:
    'The queue of operations, with leases, items and events: against a bare claim loop, which has none of that, graphile-worker as it comes, and BullMQ where a Redis is installed.',
  async run(arena, print) {
    const databaseUrl = (await arena.postgres()).url();
    const redisUrl = await arena.redis();
    if (redisUrl === null) print('There is no redis-server here, so BullMQ is not measured.');
    const verdicts: Verdict[] = [];
    const throughput = await empty(arena, databaseUrl, redisUrl, print);
    verdicts.push(
      verdict('20,000 empty operations, against the bare loop', throughput.ours / throughput.bareLoop, '×', {
        atLeast: 0.8,
      }),
      verdict('the same, against graphile-worker', throughput.ours / throughput.graphile, '×', { atLeast: 1.5 }),
    );
    if (throughput.bullmq !== null)
      verdicts.push(verdict('the same, against BullMQ', throughput.ours / throughput.bullmq, '×', { atLeast: 0.5 }));
    const ordered = await inOrder(arena, databaseUrl, print);
    verdicts.push(
      verdict('ordered per file, against graphile-worker', ordered.ours / ordered.graphile, '×', { atLeast: 5 }),
    );
    const idle = await enqueueToStart(arena, databaseUrl, redisUrl);
    print(`enqueue → start, idle: ${JSON.stringify(idle)}`);
    verdicts.push(
      verdict('enqueue → start, idle, p50', idle.ours.p50, 'ms', { atMost: 4 }),
      verdict('enqueue → start, idle, p99', idle.ours.p99, 'ms', { atMost: 10 }),
    );
    const urgent = await criticals(arena, databaseUrl);
    print(`20 critical behind 100,000 low: ${JSON.stringify(urgent)}`);
    verdicts.push(
      verdict('20 critical behind 100,000 low: the first starts', urgent.firstMs, 'ms', { atMost: 50 }),
      verdict('lows that start before the last of them, of those that ran for as long', urgent.lowsBefore, '', {
        atMost: urgent.lowsAllowed,
      }),
    );
    const claims = await claimTimes(arena, databaseUrl);
    print(`a claim of ${atOnce}, ms: ${JSON.stringify(claims)}`);
    verdicts.push(
      verdict('a claim beside 1,000,000 finished operations', claims.besideHistory / claims.besideNothing, '×', {
        atMost: 1.2,
      }),
      verdict('a claim after 5,000 events of one hot file', claims.afterHotFile / claims.besideNothing, '×', { atMost: 2 }),
    );
    return {
      generator: 'child processes of the benchmark, 10 operations at once in each',
      figures: { perSecond: { empty: throughput, ordered }, enqueueToStartMs: idle, criticals: urgent, claimMs: claims },
      verdicts,
      plot: {
        kind: 'bars',
        title: 'Operations a second',
        unit: '/s',
        groups: ['empty, one process', 'ordered per file, two'],
        series: [
          { name: 'SOLEil Sync', values: [throughput.ours, ordered.ours] },
          { name: 'bare loop', values: [throughput.bareLoop, 0] },
          { name: 'graphile-worker', values: [throughput.graphile, ordered.graphile] },
          ...(throughput.bullmq === null ? [] : [{ name: 'BullMQ', values: [throughput.bullmq, 0] }]),
        ],
      },
    };
  },
};

interface Times {
  p50: number;
  p99: number;
}

type Rates<Kind extends KindName> = Record<Kind, number>;

async function rounds<Kind extends KindName>(
  many: number,
  names: readonly Kind[],
  once: (kind: Kind) => Promise<number>,
  print: (line: string) => void,
): Promise<Rates<Kind>> {
  const found = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Kind, number[]>;
  for (let round = 0; round <= many; round++) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) {
      const rate = rounded(await once(name));
      // The first round only warms up.
      if (round > 0) found[name].push(rate);
    }
  }
  print(JSON.stringify(found));
  return Object.fromEntries(names.map((name) => [name, median(found[name])])) as Rates<Kind>;
}

async function empty(
  arena: Arena,
  databaseUrl: string,
  redisUrl: string | null,
  print: (line: string) => void,
): Promise<Rates<Exclude<KindName, 'bullmq'>> & { bullmq: number | null }> {
  const jobs = { files: arena.pick(20_000, 1_000), perFile: 1, ordered: false };
  const once = async (kind: KindName): Promise<number> => {
    const url = kind === 'bullmq' ? redisUrl! : databaseUrl;
    return (await workOff(1, { kind, databaseUrl: url, jobs, concurrency: atOnce, noting: false })).perSecond;
  };
  const inPostgres = ['ours', 'bareLoop', 'graphile'] as const;
  if (redisUrl !== null) return rounds(arena.pick(5, 1), [...inPostgres, 'bullmq'], once, print);
  return { ...(await rounds(arena.pick(5, 1), inPostgres, once, print)), bullmq: null };
}

/** @throws Error at an overlap or an inversion: these are gates */
async function inOrder(
  arena: Arena,
  databaseUrl: string,
  print: (line: string) => void,
): Promise<Rates<'ours' | 'graphile'>> {
  const once = async (kind: KindName): Promise<number> => {
    const jobs = { files: 200, perFile: arena.pick(kind === 'ours' ? 50 : 20, 5), ordered: true };
    const { perSecond, runs } = await workOff(2, { kind, databaseUrl, jobs, concurrency: atOnce, noting: true });
    const { overlaps, inversions } = faultsOf(runs);
    if (kind === 'ours' && overlaps + inversions > 0)
      throw new Error(`${overlaps} overlaps and ${inversions} inversions among operations of one file`);
    return perSecond;
  };
  return rounds(arena.pick(3, 1), ['ours', 'graphile'], once, print);
}

async function enqueueToStart(
  arena: Arena,
  databaseUrl: string,
  redisUrl: string | null,
): Promise<Record<'ours' | 'bareLoop', Times> & { bullmq: Times | null }> {
  const many = arena.pick(300, 20);
  const timed = async (work: (begun: (n: number) => void) => Promise<(n: number) => Promise<unknown>>) => {
    const times: number[] = [];
    const waiting = new Map<number, { at: number; resolve: () => void }>();
    const enqueue = await work((n) => {
      const { at, resolve } = waiting.get(n)!;
      times.push(performance.now() - at);
      resolve();
    });
    for (let n = 0; n < many; n++) {
      await pause(20);
      const begun = new Promise<void>((resolve) => waiting.set(n, { at: performance.now(), resolve }));
      await Promise.all([enqueue(n), begun]);
    }
    const counted = times.slice(Math.floor(many / 10));
    return { p50: rounded(percentile(counted, 0.5)), p99: rounded(percentile(counted, 0.99)) };
  };
  await ours.fill(databaseUrl, single);
  await bareLoop.fill(databaseUrl, single);
  if (redisUrl !== null) await bullmq.fill(redisUrl, single);
  const ourSide = await OurSide.open(databaseUrl, single, atOnce);
  const bareSide = (await bareLoop.open(databaseUrl, single, atOnce)) as BareLoop;
  const redisSide = redisUrl === null ? null : new BullMq(redisUrl, atOnce);
  const found = {
    ours: await timed(async (begun) => {
      await ourSide.work(async (file) => begun(file));
      return (file) => ourSide.engine.enqueue(operationOf(file, 0));
    }),
    bareLoop: await timed(async (begun) => {
      await bareSide.work(async (file) => begun(file));
      return (file) => bareSide.enqueue(file, 0);
    }),
    bullmq:
      redisSide &&
      (await timed(async (begun) => {
        await redisSide.work(async (file) => begun(file));
        return (file) => redisSide.enqueue(file, 0);
      })),
  };
  await redisSide?.stop();
  await ourSide.stop();
  await bareSide.stop();
  return found;
}

/** Every operation takes some milliseconds, so that all places are taken when the critical ones come. */
async function criticals(
  arena: Arena,
  databaseUrl: string,
): Promise<{ firstMs: number; allMs: number; lowsBefore: number; lowsAllowed: number }> {
  const [lows, urgent, bodyMs] = [arena.pick(100_000, 1_000), 20, 20];
  await ours.fill(databaseUrl, single);
  const database = await arena.database(databaseUrl);
  await database.query(
    `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause)
     select gen_random_uuid(), 'file', 'pending', 3, 'file:' || n, 'bench', n::text, '0' from generate_series(1000, 999 + $1::int) n`,
    [lows],
  );
  await database.query('analyze sync_operation');
  const side = await OurSide.open(databaseUrl, single, atOnce);
  const starts: { file: number; at: number }[] = [];
  let isFull: () => void = () => undefined;
  const full = new Promise<void>((resolve) => (isFull = resolve));
  await side.work(async (file) => {
    starts.push({ file, at: performance.now() });
    if (starts.length === atOnce * 5) isFull();
    await pause(bodyMs);
  });
  await full;
  const askedAt = performance.now();
  await Promise.all(Array.from({ length: urgent }, (_, n) => side.engine.enqueue(operationOf(n, 0, 'critical'))));
  while (starts.filter(({ file }) => file < urgent).length < urgent) await pause(5);
  await side.stop();
  const ofUrgent = starts.filter(({ file }) => file < urgent).map(({ at }) => at - askedAt);
  const allMs = Math.max(...ofUrgent);
  return {
    firstMs: rounded(Math.min(...ofUrgent)),
    allMs: rounded(allMs),
    lowsBefore: starts.filter(({ file, at }) => file >= urgent && at > askedAt && at - askedAt < allMs).length,
    // Those whose place the criticals could not have yet, and one claim in twenty.
    lowsAllowed: atOnce + Math.ceil(urgent / 19),
  };
}

async function claimTimes(
  arena: Arena,
  databaseUrl: string,
): Promise<{ besideNothing: number; besideHistory: number; afterHotFile: number }> {
  await ours.fill(databaseUrl, single);
  const database = await arena.database(databaseUrl);
  const insert = (status: 'pending' | 'completed', many: number): Promise<unknown> =>
    database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, finished_at)
       select gen_random_uuid(), 'file', $1, n % 4, 'file:' || n, 'bench', n::text, 'bench', case when $1 = 'completed' then now() end
       from generate_series(1, $2::int) n`,
      [status, many],
    );
  const timed = async (): Promise<number> => {
    await database.query('vacuum analyze sync_operation');
    const times: number[] = [];
    for (let n = 0; n < arena.pick(400, 20); n++) {
      const runner = database.createQueryRunner();
      await runner.startTransaction();
      const begunAt = performance.now();
      await runner.query(claim(false, false), [[0, 1, 2, 3], atOnce, 'bench', randomUUID(), 5_000, 1]);
      times.push(performance.now() - begunAt);
      await runner.rollbackTransaction();
      await runner.release();
    }
    return rounded(median(times.slice(times.length / 10)));
  };
  await insert('pending', 500);
  const besideNothing = await timed();
  await insert('completed', arena.pick(1_000_000, 10_000));
  const besideHistory = await timed();
  const side = await OurSide.open(databaseUrl, single, atOnce);
  for (let n = 0; n < arena.pick(5_000, 50); n++) await side.engine.enqueue({ ...operationOf(1, n), eventId: randomUUID() });
  await side.stop();
  const afterHotFile = await timed();
  return { besideNothing, besideHistory, afterHotFile };
}
