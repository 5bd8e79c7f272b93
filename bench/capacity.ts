import { demandWhole } from './arena.js';
import type { Load } from './load/load.js';

export interface CapacityOptions {
  /** Messages a second that are tried first. */
  startAt: number;
  /** A rate holds when p99, from the moment at which a message was due, is no more than this. */
  p99Ms: number;
  warmUpMs: number;
  measuredMs: number;
  /** The search ends when the lowest rate that did not hold is this many times the highest that did. */
  resolution: number;
}

/** Half or one and a half of the first guess, then closer and closer. */
const firstStep = 1.5;

/**
 * The highest rate that holds, in messages a second, at an open loop: all of it is accepted, and delivered in time. A rate that
 * does not hold is tried once more, since a machine has other things to do. 0 where not even two messages a second hold.
 */
export async function capacity(load: Load, options: CapacityOptions): Promise<{ perSecond: number; p99: number }> {
  let best = { perSecond: 0, p99: 0 };
  let tooMuch = Infinity;
  let rate = options.startAt;
  while (tooMuch > best.perSecond * options.resolution) {
    const p99 = (await holds(load, rate, options)) ?? (await holds(load, rate, options));
    if (p99 === null) tooMuch = rate;
    else best = { perSecond: rate, p99 };
    if (tooMuch === Infinity) rate *= firstStep;
    else if (best.perSecond === 0) rate /= firstStep;
    else rate = Math.sqrt(best.perSecond * tooMuch);
    if (rate < 2) return best;
  }
  return best;
}

/** @returns the p99, null when the rate does not hold */
async function holds(load: Load, rate: number, { p99Ms, warmUpMs, measuredMs }: CapacityOptions): Promise<number | null> {
  const { p99, refused } = demandWhole(await load.run(rate, warmUpMs, measuredMs));
  return refused === 0 && p99 <= p99Ms ? p99 : null;
}
