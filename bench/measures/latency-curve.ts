import { demandWhole, type Arena } from '../arena.js';
import { capacity } from '../capacity.js';
import { loadInC, medianOf, rounded, verdict, type Measure, type Spread } from '../measure.js';
import { alternate, connectSides, type SideName } from '../sides.js';

/** What stock can do at most, of which these shares are tried. */
const shares = [0.1, 0.3, 0.6, 0.9];
const guesses: Record<number, number> = { 100: 1_500, 1_000: 150 };
const targetMs = 15;

interface Point {
  share: number;
  deliveriesPerSecond: number;
  /** Medians of the rounds, ms. */
  times: Record<SideName, Spread>;
  p99AboveStockMs: number;
}

export const latencyCurve: Measure = {
  name: 'latency-curve',
  about:
    'Publish → device at 10, 30, 60 and 90 % of the rate that stock socket.io can do at most (p99 ≤ 50 ms), both at the same rate.',
  async run(arena, print) {
    const curves: { sockets: number; stockAtMost: number; points: Point[] }[] = [];
    for (const sockets of arena.pick([100, 1_000], [100])) {
      curves.push({ sockets, ...(await curve(arena, sockets)) });
      print(JSON.stringify(curves.at(-1)));
    }
    const all = curves.flatMap(({ sockets, points }) => points.map((point) => ({ sockets, ...point })));
    return {
      generator: loadInC,
      figures: curves,
      verdicts: all.map(({ sockets, share, p99AboveStockMs }) =>
        verdict(`p99 above stock's, ${sockets} sockets at ${share * 100} %`, p99AboveStockMs, 'ms', { atMost: targetMs }),
      ),
      plot: {
        kind: 'bars',
        title: 'Publish → device, p99, at shares of what stock can do at most',
        unit: 'ms',
        groups: all.map(({ sockets, share }) => `${sockets}: ${share * 100} %`),
        series: [
          { name: 'SOLEil Sync', values: all.map(({ times }) => times.ours.p99) },
          { name: 'stock socket.io', values: all.map(({ times }) => times.stock.p99) },
        ],
      },
    };
  },
};

async function curve(arena: Arena, sockets: number): Promise<{ stockAtMost: number; points: Point[] }> {
  const postgres = await arena.postgres();
  const sides = await connectSides(arena, postgres.url(), sockets);
  const { perSecond } = await capacity(sides.stock, {
    startAt: guesses[sockets]!,
    p99Ms: 50,
    resolution: arena.pick(1.07, 1.3),
    ...arena.pick({ warmUpMs: 1_000, measuredMs: 3_000 }, { warmUpMs: 300, measuredMs: 700 }),
  });
  const points: Point[] = [];
  for (const share of shares) {
    const rounds = await alternate(arena.pick(3, 1), async (side) =>
      demandWhole(await sides[side].run(perSecond * share, arena.pick(1_000, 300), arena.pick(4_000, 700))),
    );
    const times = { ours: medianOf(rounds.ours), stock: medianOf(rounds.stock) };
    const deliveriesPerSecond = Math.round(perSecond * share * sockets);
    points.push({ share, deliveriesPerSecond, times, p99AboveStockMs: rounded(times.ours.p99 - times.stock.p99) });
  }
  await sides.stop();
  await postgres.stop();
  return { stockAtMost: Math.round(perSecond * sockets), points };
}
