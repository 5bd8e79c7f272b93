import type { Tally } from './kinds.js';

/** What a run has come to. */
export interface Reached {
  deliveries: number;
  forcedReconnects: number;
  tally: Tally;
}

/** What it was to come to and did not, in words: however clean, a run that fell short has shown nothing. */
export function shortages(
  { deliveries, forcedReconnects, tally }: Reached,
  targets: { deliveries: number; forcedReconnects: number },
): string[] {
  return [
    ...(deliveries < targets.deliveries ? [`${targets.deliveries} deliveries`] : []),
    ...(forcedReconnects < targets.forcedReconnects ? [`${targets.forcedReconnects} forced reconnects`] : []),
    ...tally.missing,
  ];
}
