import { setTimeout as pause } from 'node:timers/promises';
import { demandWhole } from '../arena.js';
import { loadInC, median, rounded, verdict, type Measure } from '../measure.js';
import { alternate, sideNames, type Sides } from '../sides.js';

const missed = 10_000;

export const catchUp: Measure = {
  name: 'catch-up',
  about:
    'One device that missed 10,000 messages, none of them compacted, window and acknowledgements as ever, against reading the same rows with pg in one query and sending them in pages of 100 without waiting for anything.',
  async run(arena) {
    const postgres = await arena.postgres();
    const databaseUrl = postgres.url();
    const database = await arena.database(databaseUrl);
    const rigs = {
      ours: await arena.ours({ databaseUrl, users: 1, sync: { compactAfterMessages: 1_000_000 } }),
      stock: await arena.stock({ databaseUrl }),
    };
    const sides: Sides = {
      ours: arena.load(rigs.ours, { dialect: 'sync', devices: 1 }),
      stock: arena.load(rigs.stock, { dialect: 'stock', devices: 1 }),
    };
    const settle = async (): Promise<void> => {
      // The opponent reads what ours has stored; its own messages, to nobody, only keep its count.
      for (const side of sideNames) {
        await sides[side].cut();
        demandWhole(await sides[side].publish(arena.pick(4_000, 10_000), missed));
      }
      // Stored is not yet numbered.
      while ((await database.query<unknown[]>('select from sync_outbox limit 1')).length > 0) await pause(20);
    };
    for (const side of sideNames) demandWhole(await sides[side].connect());
    await settle();
    for (const side of sideNames) demandWhole(await sides[side].reconnect());
    const rounds: Record<'ours' | 'stock', number[]> = { ours: [], stock: [] };
    for (let round = 0; round < arena.pick(9, 1); round++) {
      await settle();
      const once = await alternate(1, async (side) => demandWhole(await sides[side].reconnect()).ms);
      for (const side of sideNames) rounds[side].push(...once[side]);
    }
    const medians = { ours: median(rounds.ours), stock: median(rounds.stock) };
    return {
      generator: loadInC,
      figures: { missed, rounds, medians },
      verdicts: [
        verdict('against reading and sending', rounded(medians.ours / medians.stock), '×', { atMost: 1.5 }),
        verdict('the slowest round', Math.max(...rounds.ours), 'ms', { atMost: 2_000 }),
      ],
      plot: {
        kind: 'bars',
        title: 'One device that missed 10,000 messages, until it has them',
        unit: 'ms',
        groups: ['median'],
        series: [
          { name: 'SOLEil Sync', values: [medians.ours] },
          { name: 'read with pg and sent', values: [medians.stock] },
        ],
      },
    };
  },
};
