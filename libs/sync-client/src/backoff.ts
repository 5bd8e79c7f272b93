/**
 * How long to wait before the next attempt: anywhere between the least and a bound that doubles with every failure.
 * The whole width is random, so that a thousand devices that lost one server do not come back as one.
 */
export const backoffMs = (failures: number, leastMs: number, mostMs: number, random: () => number): number => {
  const bound = Math.min(mostMs, leastMs * 2 ** Math.max(1, failures));
  return Math.round(leastMs + random() * (bound - leastMs));
};
