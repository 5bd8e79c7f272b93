import type { Verdict } from './evidence.js';

/** Up to where the ledger says that a connected device knows a channel. */
export interface LedgerLine {
  device: string;
  channel: string;
  upTo: number;
}

/**
 * Everybody is connected and has everything, and nobody published since: the ledger must say just that, whatever was killed
 * before it could be stored.
 *
 * @param before each channel's head when everybody was complete
 * @param now each channel's head when the ledger was read
 */
export function judgeLedger(
  lines: readonly LedgerLine[],
  devices: number,
  heads: { before: { [channel: string]: number }; now: { [channel: string]: number } },
  verdict: Verdict,
): void {
  for (const { device, channel, upTo } of lines) {
    const [least, most] = [heads.before[channel] ?? 0, heads.now[channel] ?? 0];
    if (upTo < least || upTo > most) verdict.wrongReceipts.add(`${device} ${channel}: up to ${upTo}, it is ${least}`);
  }
  const known = new Set(lines.map(({ device }) => device)).size;
  if (known !== devices) verdict.wrongReceipts.add(`${known} devices are noted as connected, there are ${devices}`);
}
