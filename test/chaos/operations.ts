/**
 * `npm run chaos:operations [-- --seed 7 --events 100000 --kills 200 --restarts 20 --workers 4 --quick]`: real workers are
 * killed in the middle of operations, and a real PostgreSQL with fsync is crashed, while files change and are told of, every fourth
 * change twice. Of every file the last version must be in the log, none twice, none after a newer one; no operation may be left; and
 * what a killed worker had must be running again within a second, unless it was lost before, which costs it some time. The last line has the figures; the run fails when one of them is not met.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startPostgres } from '@soleil/devdb';
import { QueueOfRun } from './queue-of-run.js';
import { Random } from './random.js';
import { bandIdOf, fileIdOf, Shelf } from './shelf.js';
import { Workers, type WorkerSlot } from './workers.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string' },
    kills: { type: 'string' },
    restarts: { type: 'string' },
    workers: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    /** A tenth of it all, for development. */
    quick: { type: 'boolean', default: false },
  },
});
const events = Number(values.events ?? (values.quick ? 10_000 : 100_000));
const kills = Number(values.kills ?? (values.quick ? 20 : 200));
const restarts = Number(values.restarts ?? (values.quick ? 2 : 20));
const seed = Number(values.seed);
const files = 2_000;
const againWithinMs = 1_000;
/** Who is not running again after this long is taken to be lost. */
const patienceMs = 20_000;

const began = Date.now();
const directory = await mkdtemp(join(tmpdir(), 'soleil-chaos-operations-'));
const print = (line: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
print(`seed ${seed}, ${values.workers} workers, ${events} events; logs in ${directory}`);

const random = new Random(seed);
const postgres = await startPostgres({ dataDir: join(directory, 'postgres'), settings: { max_connections: 200 } });
const queue = new QueueOfRun(postgres.url());
await queue.prepare();
const shelfFile = join(directory, 'shelf');
const shelf = Shelf.build(shelfFile, files);
const workers = new Workers(
  Number(values.workers),
  { seed, databaseUrl: postgres.url(), shelf: shelfFile, files },
  directory,
);
await workers.allReady();
print('started');

const againMs: number[] = [];
let killed = 0;
let deadlocks = 0;
/** Events that are told, or about to be. */
let toTell = 0;
const more: Promise<void>[] = [];
const faults = random.shuffled([...Array<'kill'>(kills).fill('kill'), ...Array<'restart'>(restarts).fill('restart')]);
for (const [nth, fault] of faults.entries()) {
  const told = tell(Math.ceil(events / faults.length));
  if (nth % 50 === 25) workers.teller.child.tell({ say: 'full_sync', bandId: bandIdOf(nth) });
  await pass(random.between(0, 150));
  if (fault === 'kill') await kill();
  else await restart();
  await Promise.all([told, ...more.splice(0)]);
  if ((nth + 1) % 20 === 0) print(`${nth + 1} faults; ${summary()}`);
}
const passed = await judge();
await workers.close();
await queue.close();
await postgres.stop();
shelf.close();
if (passed) await rm(directory, { recursive: true, force: true });
process.exit(passed ? 0 : 1);

async function tell(many: number): Promise<void> {
  toTell += many;
  if ((await workers.teller.child.ask({ say: 'tell', upTo: toTell }, 'told')) === null)
    throw new Error(`The teller ended, see ${directory}`);
}

/** One that is in the middle of an operation. */
async function kill(): Promise<void> {
  const { slot, ids } = await busyWorker();
  const { name } = slot;
  const killedAt = await queue.now();
  await workers.kill(slot);
  killed += 1;
  const left = [...new Set([...ids, ...(await queue.heldBy(name))])];
  const ms = await queue.runAgainMs({ killedAt, ids: left }, patienceMs);
  if (ms !== null) againMs.push(ms);
}

async function busyWorker(): Promise<{ slot: WorkerSlot; ids: string[] }> {
  for (let attempt = 1; ; attempt++) {
    const slot = random.pick(await workers.ready(2));
    const ids = await queue.heldBy(slot.name);
    if (ids.length > 0) return { slot, ids };
    // All is done already. Not waited for: then it would be done again.
    if (attempt % 20 === 0) more.push(tell(200));
  }
}

async function restart(): Promise<void> {
  // What is counted is lost with a crash.
  deadlocks += (await queue.counts()).deadlocks;
  await postgres.kill();
  await postgres.restart();
}

function summary(): string {
  const sorted = [...againMs].sort((one, other) => one - other);
  const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return `running again after a kill p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

async function judge(): Promise<boolean> {
  const stuck = await queue.unsettled(30_000);
  const dead = await queue.dead();
  const counts = await queue.counts();
  deadlocks += counts.deadlocks;
  const all = Array.from({ length: files }, (_, file) => ({ fileId: fileIdOf(file), version: shelf.version(file) }));
  const { lost, doubled, inverted } = await queue.judge(all);
  const sorted = [...againMs].sort((one, other) => one - other);
  const p99 = sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Infinity;
  const isPassed =
    [stuck, dead].every(({ length }) => length === 0) &&
    [lost!, doubled!, inverted!].every(({ count }) => count === 0) &&
    counts.events === toTell &&
    deadlocks === 0 &&
    p99 <= againWithinMs;
  if (!isPassed) {
    for (const [kind, examples] of Object.entries({
      stuck,
      dead,
      lost: lost!.examples,
      doubled: doubled!.examples,
      inverted: inverted!.examples,
    }))
      if (examples.length > 0) console.log([`  ${kind}:`, ...examples.slice(0, 20)].join('\n    '));
    console.log(`Seed ${seed}. Logs and the database are kept in ${directory}`);
  }
  console.log(
    `${isPassed ? 'passed' : 'FAILED'}: ${toTell} events (${counts.events} taken on, a quarter told twice), ${counts.operations} operations, ` +
      `${killed} workers killed in mid-operation, ${restarts} crashes of PostgreSQL, ` +
      `${lost!.count} lost, ${stuck.length} stuck, ${dead.length} dead, ${doubled!.count} doubled, ${inverted!.count} inverted, ${deadlocks} deadlocks; ` +
      `${summary()} (p99 at most ${againWithinMs}); seed ${seed}, ${Math.round((Date.now() - began) / 1000)} s`,
  );
  return isPassed;
}
