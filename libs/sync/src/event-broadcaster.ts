import { Injectable } from '@nestjs/common';
import { bandChannel, systemChannel, userChannel, type Signal } from '@soleil/sync-protocol';
import type { EntityManager } from 'typeorm';
import { Signals } from './signals/signals.js';
import type { OutboxMessage } from './log/outbox-message.js';
import { Publisher } from './log/publisher.js';

export interface PublishOptions {
  /** Joins this transaction: the message exists exactly if it commits. Without one, the message has committed on return. */
  transaction?: EntityManager;
}

/** A message without its channel, for the calls that name the circle of receivers instead. */
export type Announcement = Omit<OutboxMessage, 'channel'>;

/**
 * Publishes into the log. What is published is guaranteed: it reaches every device entitled to its channel, in the
 * channel's order, once, and a device that is away gets it when it comes back.
 *
 * Messages of one transaction keep the order of the calls. Two transactions about one entity are in commit order if each
 * locks the entity's row before it publishes.
 */
@Injectable()
export class EventBroadcaster {
  constructor(
    private readonly publisher: Publisher,
    private readonly signals: Signals,
  ) {}

  /**
   * @returns the message's id; of one published before under the same idempotency key, the earlier one's
   * @throws SyncError `message_invalid`, `message_too_large`, `idempotency_conflict`, which a transaction survives;
   *   `publish_overloaded`, `database_unavailable`, after which the same call may be repeated; what else the database throws
   */
  async publish(message: OutboxMessage, options: PublishOptions = {}): Promise<string> {
    const [id] = await this.publishAll([message], options);
    return id!;
  }

  /** Several at once, in this order, all or none. @returns their ids */
  async publishAll(messages: readonly OutboxMessage[], { transaction }: PublishOptions = {}): Promise<string[]> {
    return this.publisher.publish(messages, transaction);
  }

  /**
   * Tells whoever follows the channel now: how far something has come, for instance. Not kept: nobody gets it later. A slow
   * device gets the latest of each type and key; signals wait for at most one window of what is durable.
   * @throws SyncError `message_invalid`, `message_too_large` (more than 4 KiB)
   */
  signal(signal: Signal): void {
    this.signals.send(signal);
  }

  /** To every connection of one user. */
  toUser(userId: string, announcement: Announcement, options?: PublishOptions): Promise<string> {
    return this.publish({ ...announcement, channel: userChannel(userId) }, options);
  }

  /** To all members of a band, or to an audience within it. */
  toBand(
    bandId: string,
    announcement: Announcement,
    options: PublishOptions & { audience?: string | null } = {},
  ): Promise<string> {
    return this.publish({ ...announcement, channel: bandChannel(bandId, options.audience ?? null) }, options);
  }

  /** To everybody. */
  toEveryone(announcement: Announcement, options?: PublishOptions): Promise<string> {
    return this.publish({ ...announcement, channel: systemChannel }, options);
  }
}
