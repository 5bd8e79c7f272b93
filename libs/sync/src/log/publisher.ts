import type { EntityManager } from 'typeorm';
import type { CommitWatch } from './commit-watch.js';
import type { NodeLink } from './node-link.js';
import { refuseControl, type OutboxMessage } from './outbox-message.js';
import type { Outbox } from './outbox.js';
import type { Sequencer } from './sequencer.js';

/** Stores what is published, and wakes whoever sequences once it has committed. */
export class Publisher {
  constructor(
    private readonly outbox: Outbox,
    private readonly commits: CommitWatch,
    private readonly sequencer: Sequencer,
    private readonly link: NodeLink,
  ) {}

  /**
   * @returns the messages' ids, in the same order
   * @throws SyncError `message_invalid`, also for reserved types, `message_too_large`
   */
  async publish(messages: readonly OutboxMessage[], transaction?: EntityManager): Promise<string[]> {
    for (const message of messages) refuseControl(message);
    return this.store(messages, transaction);
  }

  /** Control messages, `sync.…`: what nodes must do at that offset, before anything later is sent. Not for publishers. */
  async publishControl(messages: readonly OutboxMessage[], transaction: EntityManager): Promise<string[]> {
    return this.store(messages, transaction);
  }

  private async store(messages: readonly OutboxMessage[], transaction?: EntityManager): Promise<string[]> {
    const ids = await this.outbox.append(messages, transaction);
    this.commits.after(transaction, this.wakeSequencer);
    return ids;
  }

  // One function for all calls, so that a transaction with many publishes wakes the sequencer once.
  private readonly wakeSequencer = (): void => {
    if (this.sequencer.term === null) this.link.tell({ kind: 'outbox' });
    else this.sequencer.wake();
  };
}
