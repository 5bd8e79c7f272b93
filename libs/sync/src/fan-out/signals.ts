import { limits, signal, SyncError, type Signalled } from '@soleil/sync-protocol';
import type { NodeLink } from '../log/node-link.js';
import { unfit } from '../unfit.js';
import type { Hubs } from './hubs.js';
import type { ReaderSocket } from './reader.js';
import { weigh } from './weighed-signal.js';

/**
 * Carries what is worth nothing later to the devices that follow the channel, on every node, by the nodes' link. Nothing is
 * kept for those who are away.
 */
export class Signals {
  constructor(
    private readonly hubs: Hubs,
    private readonly link: NodeLink,
  ) {
    link.onNews((news) => {
      if (news.kind === 'signals') for (const sent of news.signals) hubs.signal(weigh(sent));
    });
  }

  /**
   * @param sender is not told
   * @throws SyncError `message_invalid`, `message_too_large`
   */
  send(sent: Signalled, sender?: ReaderSocket): void {
    const { from, ...given } = sent;
    const parsed = signal.safeParse(given);
    if (!parsed.success) throw unfit('message_invalid', 'The signal', parsed.error);
    if (Buffer.byteLength(JSON.stringify(given.data) ?? '') > limits.signalBytes)
      throw new SyncError('message_too_large', 'The signal cannot be sent: its data is too large.', {
        limitBytes: limits.signalBytes,
      });
    this.link.tellSignal(sent, () => this.hubs.signal(weigh(sent), sender));
  }
}
