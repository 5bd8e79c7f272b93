import fc from 'fast-check';
import type { LogNode } from './log-rig.js';
import { engines, failures, files, OperationWorld, type Step } from './operation-world.js';

/** What happened, moment after moment. The steps of one moment are taken at the same time. */
export type History = readonly (readonly Step[])[];

/** @throws Error saying which promise was not kept */
export async function live(node: LogNode, history: History): Promise<void> {
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

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: step({ does: does('tell'), file: fc.nat({ max: files.length - 1 }), priority: does('high', 'low') }),
  },
  { weight: 3, arbitrary: step({ does: does('tell again'), nth }) },
  { weight: 3, arbitrary: step({ does: does('full sync') }) },
  { weight: 1, arbitrary: step({ does: does('look over') }) },
  { weight: 1, arbitrary: step({ does: does('limit'), perMinute: fc.constantFrom(1, 2, null) }) },
  { weight: 8, arbitrary: step({ does: does('claim'), engine, many }) },
  { weight: 2, arbitrary: step({ does: does('claim oldest'), engine }) },
  { weight: 7, arbitrary: step({ does: does('complete'), engine, many }) },
  { weight: 2, arbitrary: step({ does: does('add some items'), engine }) },
  { weight: 4, arbitrary: step({ does: does('fail'), engine, how }) },
  { weight: 1, arbitrary: step({ does: does('renew', 'release'), engine }) },
  { weight: 3, arbitrary: step({ does: does('reclaim'), engine }) },
  { weight: 2, arbitrary: step({ does: does('crash', 'stall'), engine }) },
  { weight: 2, arbitrary: step({ does: does('end as a zombie'), nth, how: fc.oneof(how, does('complete')) }) },
  { weight: 3, arbitrary: step({ does: does('cancel', 'retry', 'discard'), nth }) },
  { weight: 1, arbitrary: step({ does: does('prune', 'pause') }) },
);
const anyHistory = fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { maxLength: 40, size: 'max' });

/** None takes as long: something in it waits for what never comes. */
const longestMs = 10_000;

/**
 * So many random histories, one after the other. @throws Error with the first that breaks a promise, or does not end. It is not made shorter
 * here: that takes minutes, in which a test would end without a word of it. Its seed, given to `fc.assert`, does that.
 */
export const liveRandomly = (node: LogNode, numRuns: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(anyHistory, (history) => live(node, history)),
    { numRuns, timeout: longestMs, endOnFailure: true },
  );
