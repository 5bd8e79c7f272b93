import fc from 'fast-check';
import { LogNode, LogRig } from '../../test/log-rig.js';
import { anyStep, live, liveRandomly } from '../../test/operation-histories.js';
import type { Step } from '../../test/operation-world.js';

let rig: LogRig;
let node: LogNode;

beforeAll(async () => {
  rig = await LogRig.make();
  node = await rig.node();
});
afterAll(() => rig.remove());

// A first look, of seconds where nothing else runs; a long one is `npm run test:long`.
it(
  'keeps its promises whatever happens in whatever order: none lost, none twice, none inverted, none stuck',
  () => liveRandomly(node, 25),
  120_000,
);

it('nobody waits for another who waits for them, with forty at a time on three files', async () => {
  const crowd = await LogNode.on(rig.testDatabase.url, { node: 'crowd' });
  const moment = fc.array(anyStep, { minLength: 40, maxLength: 40 });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 20, maxLength: 20 }), (history) => live(crowd, history)),
      { numRuns: 5, endOnFailure: true },
    );
  } finally {
    await crowd.stop();
  }
  // A completion that fails with others is tried again alone, and a backend tells what it counted when it ends.
  const others = `select from pg_stat_activity where datname = current_database() and application_name = 'crowd'`;
  while ((await node.database.query<unknown[]>(others)).length > 0);
  expect(await node.database.query('select deadlocks from pg_stat_database where datname = current_database()')).toEqual([
    { deadlocks: '0' },
  ]);
}, 120_000);

describe('what was found so', () => {
  const tell: Step = { does: 'tell', file: 0, priority: 'high' };
  const claim = (engine: number): Step => ({ does: 'claim', engine, many: 1 });

  it('one process that lost an operation and claimed it again lets it take effect once', () =>
    live(node, [[tell], [claim(0)], [{ does: 'stall', engine: 0 }], [{ does: 'reclaim', engine: 0 }], [claim(0)]]));

  it('a full sync that is cancelled leaves the operation that stands for one that failed', () =>
    live(node, [
      [tell],
      [claim(0)],
      [{ does: 'full sync' }],
      [claim(1)],
      [{ does: 'complete', engine: 1, many: 1 }],
      [{ does: 'fail', engine: 0, how: 'at once' }],
      [{ does: 'cancel', nth: 0 }],
    ]));

  it.each<[string, Step[]]>([
    ['its items end', [{ does: 'complete', engine: 0, many: 3 }]],
    [
      'its items fail',
      [
        { does: 'fail', engine: 0, how: 'never' },
        { does: 'fail', engine: 0, how: 'at once' },
      ],
    ],
    ['there is news of its files', [tell, { ...tell, file: 1 }, { ...tell, file: 2 }]],
  ])('a full sync may be cancelled while %s', async (_, steps) => {
    const isWorkedOn = steps[0]!.does !== 'tell';
    for (let round = 0; round < 40; round++)
      await live(node, [
        [{ does: 'full sync' }],
        [claim(0)],
        [{ does: 'complete', engine: 0, many: 1 }],
        isWorkedOn ? [{ does: 'claim', engine: 0, many: 3 }] : [],
        [{ does: 'cancel', nth: 0 }, ...steps],
      ]);
  });
});
