import { demandWhole, type Arena } from '../arena.js';
import { capacity } from '../capacity.js';
import { cpuMs as cpuOf } from '../cpu.js';
import { loadInC, median, rounded, verdict, type Measure } from '../measure.js';
import { alternate, connectSides, sideNames, type SideName } from '../sides.js';

/** What is aimed at for so many sockets: times what stock does. */
const targets: Record<number, number> = { 100: 5, 1_000: 5, 5_000: 3 };
/** Messages a second to begin the search with; found anew each round. */
const guesses: Record<number, Record<SideName, number>> = {
  100: { ours: 8_000, stock: 1_500 },
  1_000: { ours: 800, stock: 150 },
  5_000: { ours: 8, stock: 6 },
};

/** Looked at, in milliseconds, where stock holds no rate with what is asked for. */
const largerP99Ms = 200;

export interface FanOutFigures {
  sockets: number;
  /** Deliveries a second, of each round. */
  rounds: Record<SideName, number[]>;
  /** Deliveries a second, of the round in the middle. */
  medians: Record<SideName, number>;
  /** Null where stock holds no rate at all. */
  ratio: number | null;
  target: number;
  /** Where stock holds no rate at all: deliveries a second at a larger p99. */
  atLargerP99?: { p99Ms: number } & Record<SideName, number>;
  /**
   * Processor time of the server, PostgreSQL included, for a million deliveries at 0.9 of its median, in ms: hardly touched by
   * what else the machine does.
   */
  cpuMs: Record<SideName, number>;
}

export const fanOut: Measure = {
  name: 'fan-out',
  about:
    'The highest open-loop rate with p99 ≤ 50 ms from the moment a 200-byte message is due to its arrival, messages coming singly: durable, acknowledged, ledger on, against a room broadcast of stock socket.io, which is none of these.',
  async run(arena, print) {
    const figures: FanOutFigures[] = [];
    for (const sockets of arena.pick([100, 1_000, 5_000], [100])) {
      figures.push(await measure(arena, sockets, print));
      print(JSON.stringify(figures.at(-1)));
    }
    return {
      generator: loadInC,
      figures,
      verdicts: figures.map(({ sockets, medians, ratio, target }) =>
        ratio === null
          ? verdict(`fan-out to ${sockets} sockets: stock holds no rate, ours`, medians.ours, 'deliveries/s', { atLeast: 1 })
          : verdict(`fan-out to ${sockets} sockets, against stock`, ratio, '×', { atLeast: target }),
      ),
      plot: {
        kind: 'bars',
        title: 'Fan-out: the highest rate with p99 ≤ 50 ms',
        unit: 'deliveries/s',
        groups: figures.map(({ sockets }) => `${sockets} sockets`),
        series: [
          { name: 'SOLEil Sync', values: figures.map(({ medians }) => medians.ours) },
          { name: 'stock socket.io', values: figures.map(({ medians }) => medians.stock) },
        ],
      },
    };
  },
};

async function measure(arena: Arena, sockets: number, print: (line: string) => void): Promise<FanOutFigures> {
  const postgres = await arena.postgres();
  const sides = await connectSides(arena, postgres.url(), sockets);
  const startAt = { ...guesses[sockets]! };
  const options = { p99Ms: 50, ...arena.pick({ warmUpMs: 1_000, measuredMs: 3_000 }, { warmUpMs: 300, measuredMs: 700 }) };
  const rounds = await alternate(arena.pick(sockets > 1_000 ? 1 : 3, 1), async (side, round) => {
    const resolution = arena.pick(1.07, 1.3);
    const { perSecond, p99 } = await capacity(sides[side], { ...options, resolution, startAt: startAt[side] });
    // The next round begins where this one ended, if that is still so.
    startAt[side] = Math.max(round === 0 ? perSecond : (startAt[side] + perSecond) / 2, 4);
    print(`${sockets} sockets, ${side}: ${Math.round(perSecond)} messages a second, p99 ${p99}`);
    return Math.round(perSecond * sockets);
  });
  const medians = { ours: median(rounds.ours), stock: median(rounds.stock) };
  let atLargerP99: FanOutFigures['atLargerP99'] = undefined;
  if (medians.stock === 0) {
    const found = await alternate(1, async (side) => {
      const { perSecond } = await capacity(sides[side], {
        ...options,
        p99Ms: largerP99Ms,
        resolution: 1.2,
        startAt: guesses[sockets]![side],
      });
      return Math.round(perSecond * sockets);
    });
    atLargerP99 = { p99Ms: largerP99Ms, ours: found.ours[0]!, stock: found.stock[0]! };
  }
  const cpuMs = { ours: 0, stock: 0 };
  for (const side of sideNames) {
    const used = (): number => cpuOf(sides.rigs[side].pid) + (side === 'ours' ? cpuOf(postgres.pid!) : 0);
    const before = used();
    const perSecond = Math.max((0.9 * medians[side]) / sockets, 4);
    const { deliveries } = demandWhole(await sides[side].run(perSecond, 0, arena.pick(4_000, 700)));
    cpuMs[side] = rounded(((used() - before) / deliveries) * 1e6);
  }
  await sides.stop();
  await postgres.stop();
  return {
    sockets,
    rounds,
    medians,
    ratio: medians.stock > 0 ? rounded(medians.ours / medians.stock) : null,
    target: targets[sockets]!,
    ...(atLargerP99 && { atLargerP99 }),
    cpuMs,
  };
}
