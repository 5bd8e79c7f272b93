import type { Arena } from './arena.js';
import type { Plot } from './plot.js';

/** One row of the table of numbers, or several that are measured together. */
export interface Measure {
  name: string;
  /** What is measured, against what, in a sentence. */
  about: string;
  run(arena: Arena, print: (line: string) => void): Promise<Result>;
}

export interface Result {
  /** Which load generator the figures come from. */
  generator: string;
  figures: object;
  verdicts: Verdict[];
  plot: Plot;
}

export interface Verdict {
  what: string;
  value: number;
  unit: string;
  /** What is aimed at, not what has to be: a target that is missed is told, and does not fail the run. */
  target: { atLeast: number } | { atMost: number };
  isMet: boolean;
}

export const loadInC = 'bench/load, in C with epoll, one process for all devices of a side';

export function verdict(what: string, value: number, unit: string, target: Verdict['target']): Verdict {
  const isMet = 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
  return { what, value: rounded(value), unit, target, isMet };
}

/** Of several rounds, the one in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** To three digits that mean something. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

export interface Spread {
  p50: number;
  p99: number;
}

/** Milliseconds, of several rounds the one in the middle of each. */
export const medianOf = (rounds: readonly Spread[]): Spread => ({
  p50: rounded(median(rounds.map(({ p50 }) => p50))),
  p99: rounded(median(rounds.map(({ p99 }) => p99))),
});
