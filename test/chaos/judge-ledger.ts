import type { Verdict } from './evidence.js';

/** Up to where the ledger says that a connected device knows a channel. */
export interface LedgerLine {
  /** As the server knows it. */
  device: string;
  channel: string;
  upTo: number;
}

/**
 * Everybody is connected and has everything, and nobody published since: the ledger must say just that, whatever was killed
 * before it could be stored.
 *
 * @param lines of what is noted as connected. A device that lost its store is a new one; that the old one has left was to be
 *   told by its server, which may have been killed before that
 * @param devices those there are
 * @param before each channel's head when everybody was complete
 * @param now each channel's head when the ledger was read
 */
export function judgeLedger(
  lines: readonly LedgerLine[],
  devices: ReadonlySet<string>,
  heads: { before: { [channel: string]: number }; now: { [channel: string]: number } },
  verdict: Verdict,
): void {
  const present = lines.filter(({ device }) => devices.has(device));
  for (const { device, channel, upTo } of present) {
    const [least, most] = [heads.before[channel] ?? 0, heads.now[channel] ?? 0];
    if (upTo < least || upTo > most) verdict.wrongReceipts.add(`${device} ${channel}: up to ${upTo}, it is ${least}`);
  }
  const known = new Set(present.map(({ device }) => device)).size;
  if (known !== devices.size) verdict.wrongReceipts.add(`${known} of ${devices.size} devices are noted as connected`);
}
