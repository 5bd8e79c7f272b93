import fc from 'fast-check';
import { LogRig, type LogNode } from '../../test/log-rig.js';
import { engines, failures, files, OperationWorld, type Step } from '../../test/operation-world.js';

let rig: LogRig;
let node: LogNode;

beforeAll(async () => {
  rig = await LogRig.make();
  node = await rig.node();
});
afterAll(() => rig.remove());

async function live(history: readonly (readonly Step[])[]): Promise<void> {
  const world = await OperationWorld.begin(node);
  try {
    for (const steps of history) await world.take(steps);
    await world.settle();
  } finally {
    await world.end();
  }
}

const engine = fc.nat({ max: engines - 1 });
const nth = fc.nat({ max: 99 });
const many = fc.integer({ min: 1, max: 4 });
const how = fc.constantFrom(...(Object.keys(failures) as (keyof typeof failures)[]));
const does = <Name extends string>(...names: Name[]) => fc.constantFrom(...names);

const step = <Of extends object>(of: { [Key in keyof Of]: fc.Arbitrary<Of[Key]> }) =>
  fc.record(of, { noNullPrototype: true });

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: step({ does: does('tell'), file: fc.nat({ max: files.length - 1 }), priority: does('high', 'low') }),
  },
  { weight: 3, arbitrary: step({ does: does('tell again'), nth }) },
  { weight: 3, arbitrary: step({ does: does('full sync') }) },
  { weight: 8, arbitrary: step({ does: does('claim'), engine, many }) },
  { weight: 2, arbitrary: step({ does: does('claim oldest'), engine }) },
  { weight: 7, arbitrary: step({ does: does('complete'), engine, many }) },
  { weight: 2, arbitrary: step({ does: does('add some items'), engine }) },
  { weight: 4, arbitrary: step({ does: does('fail'), engine, how }) },
  { weight: 1, arbitrary: step({ does: does('renew'), engine }) },
  { weight: 3, arbitrary: step({ does: does('reclaim'), engine }) },
  { weight: 2, arbitrary: step({ does: does('crash', 'stall'), engine }) },
  { weight: 2, arbitrary: step({ does: does('end as a zombie'), nth, how: fc.oneof(how, does('complete')) }) },
  { weight: 3, arbitrary: step({ does: does('cancel', 'retry', 'discard'), nth }) },
  { weight: 1, arbitrary: step({ does: does('prune') }) },
);
/** Moments, at each of which some steps are taken at the same time. */
const anyHistory = fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { maxLength: 40, size: 'max' });

it('keeps its promises whatever happens in whatever order: none lost, none twice, none inverted, none stuck', async () => {
  await fc.assert(fc.asyncProperty(anyHistory, live), { numRuns: 120 });
}, 120_000);

describe('what was found so', () => {
  const tell: Step = { does: 'tell', file: 0, priority: 'high' };
  const claim = (engine: number): Step => ({ does: 'claim', engine, many: 1 });

  it('one process that lost an operation and claimed it again lets it take effect once', () =>
    live([[tell], [claim(0)], [{ does: 'stall', engine: 0 }], [{ does: 'reclaim', engine: 0 }], [claim(0)]]));

  it('a full sync that is cancelled leaves the operation that stands for one that failed', () =>
    live([
      [tell],
      [claim(0)],
      [{ does: 'full sync' }],
      [claim(1)],
      [{ does: 'complete', engine: 1, many: 1 }],
      [{ does: 'fail', engine: 0, how: 'at once' }],
      [{ does: 'cancel', nth: 0 }],
    ]));

  it('nobody waits for another who waits for them when a full sync is cancelled while its items end', () =>
    live([
      [{ does: 'full sync' }],
      [claim(0)],
      [{ does: 'complete', engine: 0, many: 1 }],
      [{ does: 'claim', engine: 0, many: 3 }],
      [
        { does: 'cancel', nth: 0 },
        { does: 'complete', engine: 0, many: 3 },
      ],
    ]));
});
