import { limits, signal, SyncError, type Signalled } from '@soleil/sync-protocol';
import type { Hubs } from '../fan-out/hubs.js';
import type { ReaderSocket } from '../fan-out/reader.js';
import type { NodeLink } from '../log/node-link.js';
import { unfit } from '../unfit.js';
import { SignalPost } from './signal-post.js';
import { weigh } from './weighed-signal.js';

/**
 * Carries what is worth nothing later to the devices that follow the channel, on every node, by the nodes' link. Nothing is
 * kept for those who are away.
 */
export class Signals {
  private readonly post: SignalPost;

  constructor(
    private readonly hubs: Hubs,
    link: NodeLink,
  ) {
    this.post = new SignalPost(() => link.reconnect());
    link.keepInOrder(this.post);
    link.onNews((news) => {
      if (news.kind === 'signals') for (const sent of news.signals) hubs.signal(weigh(sent));
    });
  }

  /**
   * @param sender is not told
   * @throws SyncError `message_invalid`, `message_too_large`
   */
  send(sent: Signalled, sender?: ReaderSocket): void {
    checkSignal(sent);
    const weighed = weigh(sent);
    this.post.send(weighed, () => this.hubs.signal(weighed, sender));
  }
}

/** @throws SyncError `message_invalid`, `message_too_large` */
export function checkSignal({ from: _sender, ...given }: Signalled): void {
  const parsed = signal.safeParse(given);
  if (!parsed.success) throw unfit('message_invalid', 'The signal', parsed.error);
  if (Buffer.byteLength(JSON.stringify(given.data) ?? '') > limits.signalBytes)
    throw new SyncError('message_too_large', 'The signal cannot be sent: its data is too large.', {
      limitBytes: limits.signalBytes,
    });
}
