import { demandWhole } from '../arena.js';
import { loadInC, median, medianOf, rounded, verdict, type Measure, type Spread } from '../measure.js';

const sockets = 100;
const perSecond = 1_000;

type Case = 'none' | 'one';

export const stalled: Measure = {
  name: 'stalled',
  about:
    'One of 100 devices reads nothing any more, while 1,000 messages a second come: what the others notice of it, and what it costs the server, against none stalled.',
  async run(arena, print) {
    const postgres = await arena.postgres();
    const rig = await arena.ours({ databaseUrl: postgres.url(), users: sockets });
    const load = arena.load(rig, { dialect: 'sync', devices: sockets });
    demandWhole(await load.connect());
    demandWhole(await load.run(perSecond, 0, arena.pick(5_000, 500)));
    const times: Record<Case, Spread[]> = { none: [], one: [] };
    const held: Record<Case, number[]> = { none: [], one: [] };
    const once = async (name: Case): Promise<void> => {
      demandWhole(await load.stall(name === 'one' ? 1 : 0));
      const run = demandWhole(await load.run(perSecond, 2_000, arena.pick(4_000, 500)));
      times[name].push(run);
      held[name].push((await rig.memory()).held);
      print(`${name} stalled: p50 ${run.p50}, p99 ${run.p99}`);
    };
    for (let round = 0; round < arena.pick(9, 1); round++)
      for (const name of round % 2 === 0 ? (['none', 'one'] as const) : (['one', 'none'] as const)) await once(name);
    // It goes on where it stood, and gets all the same.
    demandWhole(await load.stall(0));
    const medians = { none: medianOf(times.none), one: medianOf(times.one) };
    const addedMiB = (median(held.one) - median(held.none)) / 2 ** 20;
    return {
      generator: loadInC,
      figures: { sockets, messagesPerSecond: perSecond, medians, addedMiB: rounded(addedMiB), times, held },
      verdicts: [
        verdict("the others' p99, against none stalled", medians.one.p99 / medians.none.p99, '×', { atMost: 1.1 }),
        verdict('server memory for the stalled one', addedMiB, 'MiB', { atMost: 1 }),
      ],
      plot: {
        kind: 'bars',
        title: 'One stalled device among 100: what the others notice',
        unit: 'ms',
        groups: ['p50', 'p99'],
        series: [
          { name: 'one stalled', values: [medians.one.p50, medians.one.p99] },
          { name: 'none stalled', values: [medians.none.p50, medians.none.p99] },
        ],
      },
    };
  },
};
