import type { DataSource } from 'typeorm';
import { demandWhole } from '../arena.js';
import { loadInC, medianOf, rounded, verdict, type Measure, type Spread } from '../measure.js';

const sockets = 100;
const perSecond = 500;

export const dump: Measure = {
  name: 'dump',
  about:
    'Publish → device at 500 messages a second to 100 sockets while a log of 1,000,000 messages is dumped as pg_dump does it (one repeatable-read snapshot, a COPY of each table, again and again until the round is over), against none.',
  async run(arena, print) {
    const postgres = await arena.postgres();
    const database = await arena.database(postgres.url());
    await fill(database, arena.pick(1_000_000, 10_000));
    const rig = await arena.ours({ databaseUrl: postgres.url(), users: sockets });
    const load = arena.load(rig, { dialect: 'sync', devices: sockets });
    demandWhole(await load.connect());
    demandWhole(await load.run(perSecond, 0, arena.pick(5_000, 500)));
    const times: Record<'open' | 'none', Spread[]> = { open: [], none: [] };
    const once = async (name: keyof typeof times): Promise<void> => {
      const end = name === 'open' ? await openDump(database) : async () => 0;
      const run = demandWhole(await load.run(perSecond, 2_000, arena.pick(8_000, 500)));
      const copies = await end();
      times[name].push(run);
      print(`${name}: p50 ${run.p50}, p99 ${run.p99}${copies > 0 ? `, ${copies} copies of the log` : ''}`);
    };
    for (let round = 0; round < arena.pick(5, 1); round++)
      for (const name of round % 2 === 0 ? (['none', 'open'] as const) : (['open', 'none'] as const)) await once(name);
    const medians = { none: medianOf(times.none), open: medianOf(times.open) };
    return {
      generator: loadInC,
      figures: { sockets, messagesPerSecond: perSecond, medians, times },
      verdicts: [
        verdict('p99 with the dump open, against none', rounded(medians.open.p99 / medians.none.p99), '×', { atMost: 2 }),
      ],
      plot: {
        kind: 'bars',
        title: 'Publish → device while a log of 1,000,000 messages is dumped',
        unit: 'ms',
        groups: ['p50', 'p99'],
        series: [
          { name: 'dump open', values: [medians.open.p50, medians.open.p99] },
          { name: 'none', values: [medians.none.p50, medians.none.p99] },
        ],
      },
    };
  },
};

/** Another channel's log, of messages as large as those that are published here. */
async function fill(database: DataSource, messages: number): Promise<void> {
  await database.query(
    `insert into sync_message (channel, "offset", id, type, data, published_at)
     select 'band:other', n, gen_random_uuid(), 'note', jsonb_build_object('n', n, 'text', repeat('x', 180)), now()
     from generate_series(1, $1::int) n`,
    [messages],
  );
  await database.query(`insert into sync_channel (name, head, epoch) values ('band:other', $1, 'filled')`, [messages]);
  await database.query(`insert into sync_channel_epoch (channel, epoch, began_at) values ('band:other', 'filled', 1)`);
  await database.query('vacuum analyze sync_message');
}

/** @returns what ends it, and tells how often the log was copied */
async function openDump(database: DataSource): Promise<() => Promise<number>> {
  const runner = database.createQueryRunner();
  await runner.startTransaction('REPEATABLE READ');
  const tables = await runner.manager.query<{ name: string }[]>(
    `select quote_ident(relname) as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  );
  let isOver = false;
  let copies = 0;
  const copying = (async () => {
    for (; !isOver; copies++) for (const { name } of tables) if (!isOver) await runner.query(`copy ${name} to '/dev/null'`);
  })();
  return async () => {
    isOver = true;
    await copying;
    await runner.commitTransaction();
    await runner.release();
    return copies;
  };
}
