/**
 * `npm run chaos:kill [-- --seed 7 --deliveries 1000000 --reconnects 10000 --devices 100 --servers 3 --minutes 8 --quick]`:
 * real servers are killed, stopped and cut off, a real PostgreSQL with fsync is crashed, and devices lose their connections
 * by the hundred, while everybody works. Nothing may be lost, come twice or in another order, and after each fault
 * everybody must become complete. The last line has the figures; the run fails when one of them is not met, or a kind of fault has not happened.
 *
 * The seed decides on faults, storms and what is published; when exactly things happen is the machine's affair, so the
 * same seed is the same kind of run, not the same run. What it takes to understand a failure is kept, and named.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startPostgres } from '@soleil/devdb';
import { playersFor, stages } from './cast.js';
import { DevicesOfRun } from './devices-of-run.js';
import { Verdict } from './evidence.js';
import { judgeDevices } from './judge-devices.js';
import { judgeLedger, type LedgerLine } from './judge-ledger.js';
import { judgePublishing } from './judge-publishing.js';
import { Tally } from './kinds.js';
import { LogOfRun } from './log-of-run.js';
import { Nodes } from './nodes.js';
import { Random } from './random.js';
import { readRecord } from './record.js';
import { restUntilComplete, runRounds } from './run.js';
import { shortages } from './shortages.js';

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string' },
    reconnects: { type: 'string' },
    devices: { type: 'string' },
    servers: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '8' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    /** A tenth of it all, for development. */
    quick: { type: 'boolean', default: false },
  },
});
const devicesWanted = Number(values.devices ?? (values.quick ? 30 : 100));
const seed = Number(values.seed);
const began = Date.now();
const targets = {
  deliveries: Number(values.deliveries ?? (values.quick ? 30_000 : 1_000_000)),
  forcedReconnects: Number(values.reconnects ?? (values.quick ? 500 : 10_000)),
  until: began + Number(values.minutes) * 60_000,
};
const deviceProcesses = 2;

const directory = await mkdtemp(join(tmpdir(), 'soleil-chaos-'));
const print = (line: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
print(`seed ${seed}, ${devicesWanted} devices, ${values.servers} servers; evidence in ${directory}`);

const postgres = await startPostgres({ dataDir: join(directory, 'postgres'), settings: { max_connections: 200 } });
const log = new LogOfRun(postgres.url());
await log.prepare(stages(playersFor(devicesWanted)));
const devices = new DevicesOfRun(deviceProcesses, devicesWanted, seed, directory);
await devices.ready();
const nodes = await Nodes.start(
  {
    servers: Number(values.servers),
    devices: devicesWanted,
    seed,
    databaseUrl: postgres.url(),
    directory,
    writers: 4,
    thinkMs: 100,
  },
  (ports) => devices.tell({ say: 'servers', ports }),
);
const victims = { nodes, postgres, log, random: new Random(seed), tally: new Tally() };

const start = await restUntilComplete(victims, devices);
print(`started; everyone is complete after ${start.ms} ms`);
const rounds = await runRounds(victims, devices, targets, print);
const passed = await judge();
await nodes.close();
await devices.close();
await log.close();
await postgres.stop();
if (passed) await rm(directory, { recursive: true, force: true });
process.exit(passed ? 0 : 1);

async function judge(): Promise<boolean> {
  const heads = await log.heads();
  const messages = await log.messages();
  const stories = await devices.stories();
  const records = nodes.slots.map(({ recordFile }) => readRecord(recordFile));
  const verdict = new Verdict();
  judgePublishing(records, messages, verdict);
  judgeDevices(stories, messages, verdict);
  const present = new Set(
    stories.flatMap((told) => told.stories.filter(({ isOver }) => !isOver).map(({ deviceId }) => deviceId)),
  );
  judgeLedger(await settledLedger(heads, present), present, { before: heads, now: await log.heads() }, verdict);
  const deliveries = stories.flatMap((told) => told.stories).reduce((sum, story) => sum + story.ids.length, 0);
  const { forcedReconnects, lostStores } = devices.counts;
  const isComplete = rounds.incomplete.length === 0;
  const short = shortages({ deliveries, forcedReconnects, tally: victims.tally }, targets);
  const isPassed = verdict.isClean && isComplete && short.length === 0;

  if (!isPassed) {
    await writeFile(join(directory, 'log.json'), JSON.stringify(messages));
    for (const line of rounds.incomplete.slice(0, 40)) console.log(`  not complete: ${line}`);
    for (const [kind, { count, examples }] of verdict.kinds)
      if (count > 0) console.log([`  ${kind}: ${count}`, ...examples].join('\n    '));
    console.log(`Seed ${seed}. Records, logs, stories and the database are kept in ${directory}`);
  }
  const { lost, twice, disordered, invented, wrongRows, wrongReceipts, faults } = verdict;
  console.log(
    `${isPassed ? 'passed' : 'FAILED'}: ${deliveries} deliveries of ${messages.length} messages (at least ${targets.deliveries}), ` +
      `${forcedReconnects} forced reconnects (at least ${targets.forcedReconnects}), ${rounds.faults} kills and other faults (${victims.tally.toString()}), ` +
      `${lost.count} lost, ${twice.count} seen twice, ${disordered.count} pairs in a different order, ` +
      `${invented.count} seen that never were, ${wrongRows.count} wrong rows, ${wrongReceipts.count} wrong receipts, ${faults.count} breaches of the protocol, ` +
      `${lostStores} stores lost and made anew; everyone complete after each fault: ` +
      `${isComplete ? `yes, within ${rounds.slowestMs} ms` : 'no'}; seed ${seed}, ${Math.round((Date.now() - began) / 1000)} s` +
      `${short.length > 0 ? `; not reached: ${short.join(', ')}` : ''}`,
  );
  return isPassed;
}

/** The last acknowledgements, and who is connected, are stored within a second or two of the last message and the last fault. */
async function settledLedger(heads: { [channel: string]: number }, present: ReadonlySet<string>): Promise<LedgerLine[]> {
  const until = Date.now() + 10_000;
  for (;;) {
    const lines = await log.ledger();
    const ofPresent = lines.filter(({ device }) => present.has(device));
    const isComplete = new Set(ofPresent.map(({ device }) => device)).size === present.size;
    if (Date.now() > until || (isComplete && ofPresent.every(({ channel, upTo }) => upTo >= (heads[channel] ?? 0))))
      return lines;
    await pass(100);
  }
}
