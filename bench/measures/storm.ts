import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { demandWhole, type Arena } from '../arena.js';
import { loadInC, median, rounded, verdict, type Measure } from '../measure.js';
import { alternate, sideNames, type SideName, type Sides } from '../sides.js';

const missed = 100;

interface Storm {
  devices: number;
  /** Until everybody had everything, ms, of each round. */
  rounds: Record<SideName, number[]>;
  medians: Record<SideName, number>;
  ratio: number;
  /** Statements that PostgreSQL was given from the first connection to the last message, in the round in the middle. */
  statements: { all: number; reads: number };
}

export const storm: Measure = {
  name: 'storm',
  about: `1,000 devices reconnect at once, ${missed} messages missed each: ours with the tokens and tables of libs/auth, against Socket.IO's connection state recovery, in memory and without authentication.`,
  async run(arena, print) {
    const storms: Storm[] = [];
    for (const devices of arena.pick([100, 1_000], [100])) {
      storms.push(await measure(arena, devices));
      print(JSON.stringify(storms.at(-1)));
    }
    const [few, many] = [storms[0]!, storms.at(-1)!];
    return {
      generator: loadInC,
      figures: storms,
      verdicts: [
        verdict(`${many.devices} devices, against recovery in memory`, many.ratio, '×', { atMost: 1 }),
        verdict(
          `statements that read, ${many.devices} devices against ${few.devices}`,
          many.statements.reads / few.statements.reads,
          '×',
          { atMost: 2 },
        ),
      ],
      plot: {
        kind: 'bars',
        title: `Devices reconnecting at once, ${missed} messages missed each`,
        unit: 'ms',
        groups: storms.map(({ devices }) => `${devices} devices`),
        series: [
          { name: 'SOLEil Sync', values: storms.map(({ medians }) => medians.ours) },
          { name: 'socket.io recovery', values: storms.map(({ medians }) => medians.stock) },
        ],
      },
    };
  },
};

async function measure(arena: Arena, devices: number): Promise<Storm> {
  const postgres = await arena.postgres({ shared_preload_libraries: 'pg_stat_statements' });
  const database = await arena.database(postgres.url());
  await database.query('create extension if not exists pg_stat_statements');
  const tokenFile = join(arena.home, 'tokens');
  const rigs = {
    ours: await arena.ours({ databaseUrl: postgres.url(), users: devices, auth: true, tokenFile }),
    stock: await arena.stock({ recovery: true }),
  };
  const sides: Sides = {
    ours: arena.load(rigs.ours, { dialect: 'sync', devices, tokenFile }),
    stock: arena.load(rigs.stock, { dialect: 'stock', devices }),
  };
  for (const side of sideNames) {
    await sides[side].connect();
    // Recovery begins where a message has told the device its place.
    demandWhole(await sides[side].run(100, 0, 200));
  }
  const statements: Storm['statements'][] = [];
  const once = async (side: SideName): Promise<number> => {
    await sides[side].cut();
    demandWhole(await sides[side].publish(1_000, missed));
    await database.query('select pg_stat_statements_reset()');
    const { ms } = demandWhole(await sides[side].reconnect());
    if (side === 'ours') statements.push(await count(database));
    return ms;
  };
  // What is compiled at the first time is not at the second.
  for (const side of sideNames) await once(side);
  statements.length = 0;
  const rounds = await alternate(arena.pick(9, 1), once);
  for (const side of sideNames) {
    await sides[side].stop();
    await rigs[side].stop();
  }
  await database.destroy();
  await postgres.stop();
  const medians = { ours: median(rounds.ours), stock: median(rounds.stock) };
  return {
    devices,
    rounds,
    medians,
    ratio: rounded(medians.ours / medians.stock),
    statements: {
      all: median(statements.map(({ all }) => all)),
      reads: median(statements.map(({ reads }) => reads)),
    },
  };
}

async function count(database: DataSource): Promise<Storm['statements']> {
  const [counted] = await database.query<[Storm['statements']]>(`
    select sum(calls)::int as all, (sum(calls) filter (where query ~* '^\\s*select' and query !~* 'pg_notify|pg_stat'))::int as reads
    from pg_stat_statements where toplevel`);
  return counted;
}
