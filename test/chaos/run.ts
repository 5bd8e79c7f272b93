import { setTimeout as pass } from 'node:timers/promises';
import type { DevicesOfRun } from './devices-of-run.js';
import { faults, type Victims } from './faults.js';
import { outcomesOf, readRecord } from './record.js';

export interface Targets {
  deliveries: number;
  forcedReconnects: number;
  /** Milliseconds since 1970, when the run is over whatever it has reached. */
  until: number;
}

/** How it went, round by round. */
export interface Rounds {
  faults: number;
  /** From the moment publishers rest until every device has everything: the longest. */
  slowestMs: number;
  /** Why the run had to end; empty when it did not. */
  incomplete: string[];
}

const completeWithinMs = 45_000;
/** What is stormed at once: mostly some, at times all. */
const shares = [0.1, 0.3, 0.6, 1];

/**
 * Round after round: work under storms, a fault in the middle of it, then rest, in which everybody must become complete.
 * Every fault comes once, in random order, before any comes again.
 */
export async function runRounds(
  victims: Victims,
  devices: DevicesOfRun,
  targets: Targets,
  print: (line: string) => void,
): Promise<Rounds> {
  const { nodes, random } = victims;
  const rounds: Rounds = { faults: 0, slowestMs: 0, incomplete: [] };
  const names = Object.keys(faults);
  let queue = random.shuffled(names);
  const isReached = (): boolean => {
    const { deliveries, forcedReconnects } = devices.counts;
    return deliveries >= targets.deliveries && forcedReconnects >= targets.forcedReconnects && rounds.faults >= names.length;
  };
  while (!isReached() && Date.now() < targets.until) {
    await nodes.allReady();
    const work = new AbortController();
    const storms = storm(devices, targets, random, work.signal);
    devices.tell({ say: 'misbehave' });
    nodes.resumePublishers();
    await pass(random.between(1_500, 5_000));
    if (queue.length === 0) queue = random.shuffled(names);
    const name = queue.shift()!;
    const struckAt = Date.now();
    const what = await faults[name]!(victims);
    rounds.faults += 1;
    await pass(random.between(0, 2_000));
    work.abort();
    await storms;
    const rest = await restUntilComplete(victims, devices);
    rounds.slowestMs = Math.max(rounds.slowestMs, rest.ms);
    const { deliveries, forcedReconnects } = devices.counts;
    print(
      `${name} (${what}): ${Date.now() - struckAt} ms later everyone is complete, ${rest.ms} ms after the last publish; ` +
        `${deliveries} deliveries, ${forcedReconnects} forced reconnects`,
    );
    if (rest.missing.length > 0) {
      rounds.incomplete = [`after "${name}":`, ...rest.missing];
      break;
    }
  }
  return rounds;
}

/** Publishers rest, and everybody gets everything. */
export async function restUntilComplete(
  { nodes, log }: Victims,
  devices: DevicesOfRun,
): Promise<{ ms: number; missing: string[] }> {
  devices.tell({ say: 'behave' });
  await nodes.pausePublishers();
  const began = Date.now();
  const until = began + completeWithinMs;
  let since: Date | null = null;
  while (!(since ??= await log.now()) || !(await log.isSettled(since))) {
    if (Date.now() > until) return { ms: Date.now() - began, missing: ['the outbox is not empty'] };
    await pass(20);
  }
  const logged = new Set((await log.messages()).map(({ n }) => n));
  const lost = nodes.slots
    .flatMap(({ recordFile }) => outcomesOf(readRecord(recordFile)))
    .filter(({ n, outcome }) => outcome === 'committed' && !logged.has(n));
  if (lost.length > 0)
    return { ms: Date.now() - began, missing: lost.map((message) => `not in the log: ${JSON.stringify(message)}`) };
  const missing = await devices.complete(await log.heads(), Math.max(0, until - Date.now()));
  return { ms: Date.now() - began, missing };
}

/** As many cuts as fit to the deliveries there are, so that both targets are reached at about the same time. */
async function storm(
  devices: DevicesOfRun,
  targets: Targets,
  random: Victims['random'],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { deliveries, forcedReconnects } = devices.counts;
    const fitting = 1.1 * targets.forcedReconnects * Math.min(1, deliveries / targets.deliveries) + 200;
    if (forcedReconnects < fitting) devices.tell({ say: 'storm', share: random.pick(shares) });
    await pass(random.between(150, 600), undefined, { signal }).catch(() => undefined);
  }
}
