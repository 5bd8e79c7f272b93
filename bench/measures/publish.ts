import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { Sequencer } from '../../libs/sync/src/log/sequencer.js';
import { defaultSyncOptions } from '../../libs/sync/src/options.js';
import { median, rounded, verdict, type Measure, type Verdict } from '../measure.js';
import { pgbench } from '../pgbench.js';
import { percentile } from '../report.js';
import { script, tables, type Way } from './publish-ways.js';

interface Case {
  name: string;
  writers: number;
  channels: number;
  /** How long the transaction goes on after its publish. */
  workMs: number;
  /** What the outbox is to reach, as a multiple of the others' rates. */
  targets: { rowLock: number; bareInsert?: number };
}
const cases: Case[] = [
  { name: '32 writers', writers: 32, channels: 8, workMs: 0, targets: { rowLock: 3, bareInsert: 0.33 } },
  { name: 'one hot channel, 8 writers', writers: 8, channels: 1, workMs: 0, targets: { rowLock: 2 } },
  { name: '20 ms transactions, 32 writers', writers: 32, channels: 8, workMs: 20, targets: { rowLock: 3.5 } },
];
const lagP99Ms = 100;
const ways: Way[] = ['outbox', 'rowLock', 'bareInsert'];

export const publish: Measure = {
  name: 'publish',
  about:
    'Messages published a second, each in a transaction of its own and with an idempotency key, until the last one has its offset, against a row lock per channel in the publisher’s transaction, and against a bare INSERT without either.',
  async run(arena, print) {
    Logger.overrideLogger(['error', 'fatal']);
    const postgres = await arena.postgres();
    const database = await arena.database(postgres.url());
    await database.query(tables);
    const line = new AssemblyLine(database, postgres.url());
    try {
      const figures = [];
      const verdicts: Verdict[] = [];
      for (const setting of cases) {
        const rates: Record<Way, number[]> = { outbox: [], rowLock: [], bareInsert: [] };
        for (const way of ways) await line.turn(way, setting, arena.pick(2, 1));
        line.lags = [];
        for (let round = 0; round < arena.pick(5, 1); round++) {
          for (const nth of ways.keys()) {
            const way = ways[(nth + round) % ways.length]!;
            rates[way].push(await line.turn(way, setting, arena.pick(4, 1)));
          }
          print(`${setting.name}: ${ways.map((way) => `${way} ${rates[way].at(-1)}`).join(', ')}`);
        }
        const lagMs = { p50: percentile(line.lags, 0.5), p99: percentile(line.lags, 0.99) };
        const of = (way: Way): number => median(rates[way]);
        const medians = { outbox: of('outbox'), rowLock: of('rowLock'), bareInsert: of('bareInsert') };
        figures.push({ ...setting, medians, rates, sequencerLagMs: lagMs });
        const { rowLock, bareInsert } = setting.targets;
        const { name } = setting;
        verdicts.push(
          verdict(`${name}, against the row lock`, rounded(medians.outbox / medians.rowLock), '×', { atLeast: rowLock }),
        );
        if (bareInsert !== undefined) {
          const ratio = rounded(medians.outbox / medians.bareInsert);
          verdicts.push(verdict(`${name}, against a bare INSERT`, ratio, '×', { atLeast: bareInsert }));
        }
        verdicts.push(verdict(`${name}, the sequencer’s lag, p99`, lagMs.p99, 'ms', { atMost: lagP99Ms }));
      }
      await line.demandWhole();
      return {
        generator: 'pgbench, prepared statements, one thread',
        figures,
        verdicts,
        plot: {
          kind: 'bars',
          title: 'Messages published a second, each in a transaction of its own',
          unit: '1/s',
          groups: cases.map(({ name }) => name),
          series: [
            { name: 'SOLEil Sync', values: figures.map(({ medians }) => medians.outbox) },
            { name: 'row lock per channel', values: figures.map(({ medians }) => medians.rowLock) },
            { name: 'bare INSERT', values: figures.map(({ medians }) => medians.bareInsert) },
          ],
        },
      };
    } finally {
      await line.stop();
    }
  },
};

/** pgbench publishes, and a sequencer in this process, on the same cores, gives offsets. It is not woken but looks every 5 ms. */
class AssemblyLine {
  /** From the INSERT, which is before the commit, to the moment at which this process has the offset, in ms. */
  lags: number[] = [];
  private turns = 0;
  private published = 0;
  private numbered = 0;
  private settle: () => void = () => undefined;
  private readonly sequencer: Sequencer;

  constructor(
    private readonly database: DataSource,
    private readonly databaseUrl: string,
  ) {
    const { leaseMs, sequencerBatch } = defaultSyncOptions;
    this.sequencer = new Sequencer(database, { node: 'bench', leaseMs, pollMs: 5, batchSize: sequencerBatch }, (batches) => {
      const now = Date.now();
      for (const { messages } of batches) {
        this.numbered += messages.length;
        for (const { at } of messages) this.lags.push(now - Date.parse(at));
      }
      this.settle();
    });
    this.sequencer.start();
  }

  /** @returns messages a second; of the outbox, those that have their offsets */
  async turn(way: Way, { writers, channels, workMs }: Case, seconds: number): Promise<number> {
    const { transactions, perSecond } = await pgbench({
      databaseUrl: this.databaseUrl,
      script: script(way, workMs),
      clients: writers,
      seconds,
      // A writer's numbers ascend over all turns.
      variables: { channels, text: 'x'.repeat(150), n: 1_000_000 * this.turns++ },
    });
    if (way !== 'outbox') return Math.round(perSecond);
    const endedAt = performance.now();
    this.published += transactions;
    while (this.numbered < this.published) await new Promise<void>((resolve) => void (this.settle = resolve));
    return Math.round(transactions / (transactions / perSecond + (performance.now() - endedAt) / 1000));
  }

  /** @throws Error when the log has lost or doubled anything, or has it in another order than its writer */
  async demandWhole(): Promise<void> {
    const [row] = await this.database.query<[{ held: number; heads: number; disorder: number }]>(`
      select (select count(*) from sync_message)::integer as held, (select sum(head) from sync_channel)::integer as heads,
             (select count(*) from (
                select (data->>'n')::integer as n,
                       lag((data->>'n')::integer) over (partition by channel, data->>'writer' order by "offset") as before
                from sync_message) as steps
              where n <= before)::integer as disorder`);
    if (row.held !== this.published || row.heads !== row.held || row.disorder > 0)
      throw new Error(`Not whole: ${JSON.stringify({ published: this.published, ...row })}`);
  }

  async stop(): Promise<void> {
    await this.sequencer.stop();
  }
}
