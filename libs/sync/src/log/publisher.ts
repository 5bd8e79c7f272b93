import type { DataSource, EntityManager } from 'typeorm';
import type { CommitWatch } from './commit-watch.js';
import type { Control } from './control-message.js';
import { translated } from './database-away.js';
import type { NodeLink } from './node-link.js';
import { refuseControl, toRow, type OutboxMessage, type OutboxRow } from './outbox-message.js';
import { Outbox } from './outbox.js';
import { PublishQueue, type PublishQueueOptions } from './publish-queue.js';
import type { Sequencer } from './sequencer.js';

/** Stores what is published, and wakes whoever sequences once it has committed. */
export class Publisher {
  private readonly outbox = new Outbox();
  private readonly queue: PublishQueue;

  constructor(
    database: DataSource,
    private readonly commits: CommitWatch,
    private readonly sequencer: Sequencer,
    private readonly link: NodeLink,
    options: PublishQueueOptions,
  ) {
    this.queue = new PublishQueue(database, this.outbox, options, this.wakeSequencer);
  }

  /**
   * Stores messages in the order given: all of them, or none.
   * @param transaction the caller's: they exist exactly if it commits. Without one they have committed on return
   * @returns the messages' ids, in the same order; of a repeated message the earlier one's
   * @throws SyncError `message_invalid`, also for reserved types, `message_too_large`, `idempotency_conflict`: a transaction
   *   survives these. `publish_overloaded`, `database_unavailable`. What else the database throws
   */
  async publish(messages: readonly OutboxMessage[], transaction?: EntityManager): Promise<string[]> {
    for (const message of messages) refuseControl(message);
    return this.store(messages.map(toRow), transaction);
  }

  /**
   * What nodes must do before anything later is sent in these channels. Not for publishers. The log has its place among
   * messages; its place among signals, which are in no log, is when the transaction commits.
   */
  async publishControl(channels: readonly string[], control: Control, transaction: EntityManager): Promise<void> {
    if (channels.length === 0) return;
    const rows = channels.map((channel) => toRow({ channel, ...control }));
    await this.store(rows, transaction);
    await this.link.tellControl(control, transaction);
  }

  /** What a node sends to itself, by the way of all that is published without a transaction. Resolves when it is stored. */
  async publishCanary({ id, channel }: Pick<OutboxRow, 'id' | 'channel'>): Promise<void> {
    await this.store([{ id, channel, type: 'canary', key: 'canary', data: 'true', bytes: 4, idempotencyKey: null }]);
  }

  /** Resolves when what was published without a transaction is stored. */
  async drained(): Promise<void> {
    await this.queue.drained();
  }

  private async store(rows: readonly OutboxRow[], transaction?: EntityManager): Promise<string[]> {
    if (rows.length === 0) return [];
    // An entity manager without a query runner is not in a transaction.
    const runner = transaction?.queryRunner;
    if (!runner) return this.queue.publish(rows);
    try {
      const ids = await this.outbox.append(rows, runner);
      this.commits.after(transaction, this.wakeSequencer);
      return ids;
    } catch (error) {
      throw translated(error);
    }
  }

  // One function for all calls, so that a transaction with many publishes wakes the sequencer once.
  private readonly wakeSequencer = (): void => {
    if (this.sequencer.term === null) this.link.tell({ kind: 'outbox' });
    else this.sequencer.wake();
  };
}
