import { demandWhole } from '../arena.js';
import { loadInC, medianOf, rounded, verdict, type Measure } from '../measure.js';
import { alternate, connectSides } from '../sides.js';

const sockets = 100;
const perSecond = 50;

export const steady: Measure = {
  name: 'steady',
  about:
    'At 5,000 deliveries a second to 100 sockets: publish → device, INSERT and commit included, against emit → device of stock socket.io. Longer than commit → device, which the target is about.',
  async run(arena, print) {
    const postgres = await arena.postgres();
    const sides = await connectSides(arena, postgres.url(), sockets);
    const rounds = await alternate(arena.pick(7, 1), async (side) => {
      const run = demandWhole(await sides[side].run(perSecond, 1_000, arena.pick(8_000, 1_000)));
      print(`${side}: p50 ${run.p50}, p99 ${run.p99}`);
      return run;
    });
    const times = { ours: medianOf(rounds.ours), stock: medianOf(rounds.stock) };
    return {
      generator: loadInC,
      figures: { sockets, deliveriesPerSecond: sockets * perSecond, times, rounds },
      verdicts: [
        verdict('p99 above that of stock', rounded(times.ours.p99 - times.stock.p99), 'ms', { atMost: 5 }),
        verdict('p99', times.ours.p99, 'ms', { atMost: 25 }),
      ],
      plot: {
        kind: 'bars',
        title: 'Publish → device at 5,000 deliveries a second, 100 sockets',
        unit: 'ms',
        groups: ['p50', 'p99'],
        series: [
          { name: 'SOLEil Sync', values: [times.ours.p50, times.ours.p99] },
          { name: 'stock socket.io', values: [times.stock.p50, times.stock.p99] },
        ],
      },
    };
  },
};
