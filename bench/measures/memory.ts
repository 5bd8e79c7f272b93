import { demandWhole, type Arena } from '../arena.js';
import { loadInC, median, rounded, verdict, type Measure } from '../measure.js';
import type { Memory } from '../rigs/messages.js';
import { alternate, type SideName } from '../sides.js';

export const memory: Measure = {
  name: 'memory',
  about:
    'What an idle connection costs its server, in a fresh process after a full garbage collection: connected and subscribed to one channel, against a stock socket in one room.',
  async run(arena) {
    const devices = arena.pick(2_000, 200);
    const postgres = await arena.postgres();
    const rounds = await alternate(arena.pick(3, 1), (side) => once(arena, side, devices, postgres.url()));
    const perConnection = (side: SideName, kind: keyof Memory): number =>
      rounded(median(rounds[side].map((memory) => memory[kind])) / devices / 1024);
    const kibibytes = {
      ours: { rss: perConnection('ours', 'rss'), held: perConnection('ours', 'held') },
      stock: { rss: perConnection('stock', 'rss'), held: perConnection('stock', 'held') },
    };
    return {
      generator: loadInC,
      figures: { devices, kibibytes, rounds },
      verdicts: [
        verdict('resident memory, against stock', kibibytes.ours.rss / kibibytes.stock.rss, '×', { atMost: 1.3 }),
        verdict('held by JavaScript, against stock', kibibytes.ours.held / kibibytes.stock.held, '×', { atMost: 1.3 }),
      ],
      plot: {
        kind: 'bars',
        title: 'Memory for each idle connection',
        unit: 'KiB',
        groups: ['resident', 'held by JavaScript'],
        series: [
          { name: 'SOLEil Sync', values: [kibibytes.ours.rss, kibibytes.ours.held] },
          { name: 'stock socket.io', values: [kibibytes.stock.rss, kibibytes.stock.held] },
        ],
      },
    };
  },
};

/** @returns what the connections added, in bytes */
async function once(arena: Arena, side: SideName, devices: number, databaseUrl: string): Promise<Memory> {
  const rig = side === 'ours' ? await arena.ours({ databaseUrl, users: devices }) : await arena.stock();
  const load = arena.load(rig, { dialect: side === 'ours' ? 'sync' : 'stock', devices });
  const before = await rig.memory();
  demandWhole(await load.connect());
  demandWhole(await load.run(10, 0, 3_000));
  const after = await rig.memory();
  await load.stop();
  await rig.stop();
  return { rss: after.rss - before.rss, held: after.held - before.held };
}
