/**
 * `npm run bench:publish [-- --rounds 5 --seconds 4 --keep]`: how many messages a second can be published, each in a
 * transaction of its own, against a row lock per channel in the publisher's transaction, and against a bare INSERT.
 *
 * pgbench publishes, all ways into the same PostgreSQL (fsync on), taking turns: each round begins with another way. The
 * sequencer runs in this process, on the same cores. It is not woken but looks every 5 ms. A turn of the outbox ends when
 * its last message has an offset.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { startPostgres } from '@soleil/devdb';
import { syncMigrations } from '@soleil/sync';
import { DataSource } from 'typeorm';
import { projectRoot } from '../apps/platform/src/config.js';
import { Sequencer } from '../libs/sync/src/log/sequencer.js';
import { defaultSyncOptions } from '../libs/sync/src/options.js';
import { pgbench } from './pgbench.js';
import { script, tables, type Way } from './publish-ways.js';
import { machine, percentile } from './report.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    keep: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const warmUpSeconds = 2;
const names: Way[] = ['outbox', 'rowLock', 'bareInsert'];

interface Case {
  writers: number;
  channels: number;
  /** How long the transaction goes on after its publish. */
  workMs: number;
  /** What the outbox is to reach, as a multiple of the others' rates. */
  targets: { rowLock: number; bareInsert?: number };
}
const cases: Record<string, Case> = {
  '32 writers': { writers: 32, channels: 8, workMs: 0, targets: { rowLock: 3, bareInsert: 0.33 } },
  'one hot channel, 8 writers': { writers: 8, channels: 1, workMs: 0, targets: { rowLock: 2 } },
  'transactions of 20 ms, 32 writers': { writers: 32, channels: 8, workMs: 20, targets: { rowLock: 3.5 } },
};
const lagP99Ms = 100;

Logger.overrideLogger(['error', 'fatal']);
const home = await mkdtemp(join(tmpdir(), 'soleil-publish-'));
const postgres = await startPostgres({ dataDir: join(home, 'postgres') });
const database = await new DataSource({ type: 'postgres', url: postgres.url(), migrations: syncMigrations }).initialize();
await database.runMigrations();
await database.query(tables);

let turns = 0;
let published = 0;
let numbered = 0;
let settle: () => void = () => undefined;
/** From the INSERT, which is before the commit, to the moment at which this process has the offset. */
let lags: number[] = [];
const { leaseMs, sequencerBatch } = defaultSyncOptions;
const sequencer = new Sequencer(database, { node: 'bench', leaseMs, pollMs: 5, batchSize: sequencerBatch }, (batches) => {
  const now = Date.now();
  for (const { messages } of batches) {
    numbered += messages.length;
    for (const { at } of messages) lags.push(now - Date.parse(at));
  }
  settle();
});
sequencer.start();

try {
  const results: Record<string, CaseResult> = {};
  for (const [name, setting] of Object.entries(cases)) results[name] = await measure(setting);
  process.exitCode = (await report(results)) ? 0 : 1;
} finally {
  await sequencer.stop();
  await database.destroy();
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
}

interface CaseResult extends Case {
  /** Messages a second, of each round. */
  rates: Record<Way, number[]>;
  medians: Record<Way, number>;
  /** Of the medians. */
  ratios: { rowLock: number; bareInsert: number };
  /** Of all rounds, the transactions' work included. */
  sequencerLagMs: { p50: number; p99: number; max: number };
}

async function measure(setting: Case): Promise<CaseResult> {
  for (const way of names) await turn(way, setting, warmUpSeconds);
  lags = [];
  const rates: Record<Way, number[]> = { outbox: [], rowLock: [], bareInsert: [] };
  for (let round = 0; round < rounds; round++) {
    for (const nth of names.keys()) {
      const way = names[(nth + round) % names.length]!;
      rates[way].push(await turn(way, setting, seconds));
    }
  }
  const median = (way: Way): number => percentile(rates[way], 0.5);
  const ratioTo = (way: Way): number => Number((median('outbox') / median(way)).toFixed(2));
  return {
    ...setting,
    rates,
    medians: { outbox: median('outbox'), rowLock: median('rowLock'), bareInsert: median('bareInsert') },
    ratios: { rowLock: ratioTo('rowLock'), bareInsert: ratioTo('bareInsert') },
    sequencerLagMs: { p50: percentile(lags, 0.5), p99: percentile(lags, 0.99), max: percentile(lags, 1) },
  };
}

/** @returns messages a second; of the outbox, those that have their offsets */
async function turn(way: Way, { writers, channels, workMs }: Case, forSeconds: number): Promise<number> {
  const { transactions, perSecond } = await pgbench({
    databaseUrl: postgres.url(),
    script: script(way, workMs),
    clients: writers,
    seconds: forSeconds,
    // A writer's numbers ascend over all turns.
    variables: { channels, text: 'x'.repeat(150), n: 1_000_000 * turns++ },
  });
  if (way !== 'outbox') return Math.round(perSecond);
  const endedAt = performance.now();
  published += transactions;
  while (numbered < published) await new Promise<void>((resolve) => void (settle = resolve));
  const elapsed = transactions / perSecond + (performance.now() - endedAt) / 1000;
  return Math.round(transactions / elapsed);
}

/** What the log has lost or doubled, and what it has in another order than its writer. */
async function faults(): Promise<{ missing: number; gaps: number; disorder: number }> {
  const [row] = await database.query<[{ held: number; heads: number; disorder: number }]>(`
    select (select count(*) from sync_message)::integer as held, (select sum(head) from sync_channel)::integer as heads,
           (select count(*) from (
              select (data->>'n')::integer as n,
                     lag((data->>'n')::integer) over (partition by channel, data->>'writer' order by "offset") as before
              from sync_message) as steps
            where n <= before)::integer as disorder`);
  return { missing: published - row.held, gaps: row.heads - row.held, disorder: row.disorder };
}

async function report(results: Record<string, CaseResult>): Promise<boolean> {
  const found = await faults();
  const result = { machine: machine(projectRoot), rounds, seconds, published, faults: found, cases: results };
  console.log(JSON.stringify(result, null, 2));
  if (values.keep) {
    await mkdir(join(projectRoot, 'bench/results'), { recursive: true });
    await writeFile(join(projectRoot, 'bench/results/publish.json'), `${JSON.stringify(result, null, 2)}\n`);
  }
  const verdicts = [
    verdict(
      'nothing lost, doubled or reordered',
      Object.values(found).every((count) => count === 0),
    ),
  ];
  for (const [name, { targets, ratios, sequencerLagMs }] of Object.entries(results)) {
    verdicts.push(atLeast(`${name}, × the row lock`, ratios.rowLock, targets.rowLock));
    if (targets.bareInsert !== undefined)
      verdicts.push(atLeast(`${name}, × a bare INSERT`, ratios.bareInsert, targets.bareInsert));
    const { p99 } = sequencerLagMs;
    verdicts.push(verdict(`${name}, sequencer's lag p99: ${p99} ms, target ${lagP99Ms}`, p99 <= lagP99Ms));
  }
  return verdicts.every(Boolean);
}

function atLeast(what: string, value: number, target: number): boolean {
  return verdict(`${what}: ${value}, target ${target}`, value >= target);
}

function verdict(what: string, holds: boolean): boolean {
  console.log(`${holds ? '✓' : '✗'} ${what}`);
  return holds;
}
