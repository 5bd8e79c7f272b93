import type { EntityManager } from 'typeorm';
import type { OperationStatus, SyncOperation } from '../entities/sync-operation.js';
import type { Enqueued, Intake, NewOperation } from './intake.js';
import * as statements from './item-statements.js';
import { LeaseLost, type Claim } from './leases.js';
import type { QueueDatabase } from './queue-database.js';

/** How an operation with items stands. */
export interface Progress extends Pick<SyncOperation, 'id' | 'kind' | 'bandId' | 'mode' | 'status'> {
  total: number;
  done: number;
  failed: number;
}

/** Files that an operation is about, each done by an operation of its own. */
export class Items {
  constructor(
    private readonly database: QueueDatabase,
    private readonly intake: Intake,
  ) {}

  /**
   * Enqueues an operation for each file as an item of the claimed one, unless that is in other hands by now. Of an event that was taken on
   * before, the item is that operation's while it waits, and has ended as it did; one that is running may end unseen, and another follows it.
   * @returns how many operations are new, and how those with items that ended stand
   * @throws LeaseLost
   */
  async add(
    { operation, token }: Claim,
    wanted: readonly (NewOperation & { fileId: string })[],
  ): Promise<{ added: number; progress: Progress[] }> {
    return this.database.transaction(async (transaction) => {
      // Operations are locked before those whose items they are, by everybody.
      const placed = await this.intake.enqueue(wanted, transaction);
      const begun = await this.begun(placed, transaction);
      const isRunning = new Set(begun.flatMap(({ ids, status }) => (status === 'running' ? ids : [])));
      const again = wanted.filter((_, place) => isRunning.has(placed[place]!.id));
      const following = await this.intake.enqueue(again.map(unasked), transaction);
      const next = new Map(again.map(({ orderingKey }, place) => [orderingKey, following[place]!]));
      const by = wanted.map(({ orderingKey }, place) => next.get(orderingKey) ?? placed[place]!);
      if (!(await this.holds(operation.id, token, transaction))) throw new LeaseLost(operation.id);
      await transaction.query(statements.addItems, [
        operation.id,
        wanted.map(({ fileId }) => fileId),
        by.map(({ id }) => id),
      ]);
      const progress: Progress[] = [];
      for (const { ids, status, code, message } of begun) {
        if (status === 'running') continue;
        const fate = status === 'dead' ? 'failed' : status;
        progress.push(...(await endItems(ids, fate, { code, message }, transaction)));
      }
      return { added: by.filter(({ isNew }) => isNew).length, progress };
    });
  }

  /** Lets go of an operation whose items are all known: it runs on by itself until the last has ended. @throws LeaseLost */
  async spread({ operation, token }: Claim): Promise<Progress> {
    const [progress] = await this.database.query<Progress>(statements.spread, [operation.id, token]);
    if (!progress) throw new LeaseLost(operation.id);
    return progress;
  }

  private async holds(id: string, token: string, transaction: EntityManager): Promise<boolean> {
    return (await transaction.query<unknown[]>(statements.holds, [id, token])).length > 0;
  }

  /** Those of them that took an event on before and do not wait any more; the others cannot begin before commit. */
  private async begun(placed: readonly Enqueued[], transaction: EntityManager): Promise<Begun[]> {
    const earlier = placed.filter(({ isNew }) => !isNew).map(({ id }) => id);
    if (earlier.length === 0) return [];
    await transaction.query(statements.holdWaiting, [earlier]);
    return transaction.query(statements.begun, [earlier]);
  }
}

/** Ends the items that operations did. @returns how the operations with these items stand */
export async function endItems(
  byOperations: readonly string[],
  status: 'completed' | 'failed' | 'cancelled',
  error: { code: string | null; message: string | null },
  transaction: EntityManager,
): Promise<Progress[]> {
  return transaction.query(statements.endItems, [byOperations, status, error.code, error.message]);
}

/** Whatever became of its event. */
const unasked = (one: NewOperation): NewOperation => ({ ...one, eventId: undefined });

interface Begun {
  ids: string[];
  status: Exclude<OperationStatus, 'pending' | 'failed'>;
  code: string | null;
  message: string | null;
}
