import * as statements from './cancellation-statements.js';
import { keyOf, lockKeys } from './intake-statements.js';
import { endItems, type Progress } from './items.js';
import type { QueueDatabase } from './queue-database.js';

/** How operations end by hand, whoever holds them. */
export class Cancellations {
  constructor(private readonly database: QueueDatabase) {}

  /**
   * Ends an operation that is not finished, whoever holds it, and those that were made for its items and nothing else. What
   * a worker is doing takes no effect any more.
   * @returns null where there was nothing to end
   */
  async cancel(id: string): Promise<{ progress: Progress[] } | null> {
    return this.database.transaction(async (transaction) => {
      // Before its row, as by whoever hands it something: what a lost one was for, and whose item it was.
      const [known] = await transaction.query<{ orderingKey: string }[]>(keyOf, [id]);
      if (!known) return null;
      await transaction.query(lockKeys, [[known.orderingKey]]);
      const ended = await transaction.query<{ id: string }[]>(statements.cancel, [id]);
      if (ended.length === 0) return null;
      const ofItems = await transaction.query<{ id: string }[]>(statements.cancelForItems, [id]);
      const all = [...ended, ...ofItems].map((row) => row.id);
      await transaction.query(statements.cancelItems, [id]);
      return { progress: await endItems(all, 'cancelled', cancelled, transaction) };
    });
  }

  /** Gives up a dead operation. @returns false where there is none */
  async discard(id: string): Promise<boolean> {
    return (await this.database.query(statements.discard, [id])).length > 0;
  }
}

const cancelled = { code: 'cancelled', message: 'Somebody cancelled it.' };
