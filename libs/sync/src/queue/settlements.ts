import type { EntityManager } from 'typeorm';
import type { OperationStatus } from '../entities/sync-operation.js';
import { lockKeys } from './intake-statements.js';
import { handItems } from './item-statements.js';
import { endItems, type Progress } from './items.js';
import type { Claim } from './leases.js';
import type { QueueDatabase } from './queue-database.js';
import * as statements from './settlement-statements.js';

/** Why an operation did not succeed. */
export interface OperationError {
  code: string;
  message: string;
  /** What a person may do about it. */
  remedy: string;
}

/** The end of a claim that did not succeed. `retryInMs` null: dead; 0: it waits where it was in the line. */
export interface Failure extends OperationError {
  retryInMs: number | null;
  /** Nothing is wrong with the operation, its source asked for time: the attempt does not count. */
  isFree: boolean;
}

/** The end of a claim that has not begun. */
type NoFailure = Pick<Failure, 'retryInMs' | 'isFree'> & { [Word in keyof OperationError]: null };

/** What becomes of a claim, by whoever holds it. */
export class Settlements {
  constructor(private readonly database: QueueDatabase) {}

  /**
   * Marks claimed operations completed, and the items they did, within the transaction that does their work, where there is any. First of
   * all in it, so that a zombie stops before it waits for anybody's lock. What has items is let go by `Items.spread` instead.
   * @returns by which token each was held: a claim with another one is in other hands by now; and how operations with these items stand
   */
  async complete(
    claims: readonly (Claim & { preparedMs: number })[],
    transaction?: EntityManager,
  ): Promise<{ tokens: Map<string, string>; progress: Progress[] }> {
    const tokens = new Map<string, string>();
    const progress: Progress[] = [];
    let left = claims;
    // Most did no items. Those that did are not known before: they were given to operations that waited, until these were claimed.
    for (const statement of [statements.complete, statements.completeWithItems]) {
      if (left.length === 0) break;
      const given = [
        left.map(({ operation }) => operation.id),
        left.map(({ token }) => token),
        left.map(({ preparedMs }) => preparedMs),
      ];
      const rows = await this.database.query<Progress & { token: string | null }>(statement, given, transaction);
      for (const { token, ...one } of rows) {
        if (token === null) progress.push(one);
        else tokens.set(one.id, token);
      }
      left = left.filter(({ operation }) => !tokens.has(operation.id));
    }
    return { tokens, progress };
  }

  /**
   * Puts a failed operation where it belongs: to wait for `retryInMs`, or among the dead when that is null. Where newer
   * news of the same file waits already, that will do the work, and this one is cancelled.
   * @returns how operations with this item stand
   */
  async fail(claim: Claim, failure: Failure): Promise<Progress[]> {
    return this.settle([claim], failure);
  }

  /** Puts claims back that have not begun: they wait where they were in the line, as if nobody had claimed them. */
  async release(claims: readonly Claim[]): Promise<void> {
    await this.settle(claims, { code: null, message: null, remedy: null, retryInMs: 0, isFree: true });
  }

  private async settle(claims: readonly Claim[], failure: Failure | NoFailure): Promise<Progress[]> {
    const all = claims.map(({ operation: { id, orderingKey }, token }) => ({ id, orderingKey, token }));
    const settings = [failure.retryInMs, ...wordsOf(failure), failure.isFree];
    return (await settle(this.database, all, { statement: statements.settle, settings, ifDead: failure })).progress;
  }
}

/** A claim that ends without success. */
export interface Unsuccessful {
  id: string;
  orderingKey: string;
  token: string;
}

/** Ends claims without success. @returns what became of those that were still held so, and of the operations whose items they did */
export async function settle(
  database: QueueDatabase,
  all: readonly Unsuccessful[],
  how: { statement: string; settings: readonly unknown[]; ifDead: OperationError | NoFailure },
): Promise<{ settled: Map<string, OperationStatus>; progress: Progress[] }> {
  return database.transaction(async (transaction) => {
    await transaction.query(lockKeys, [all.map(({ orderingKey }) => orderingKey)]);
    const settled = await transaction.query<{ id: string; status: OperationStatus; newer: string | null }[]>(how.statement, [
      all.map(({ id }) => id),
      all.map(({ token }) => token),
      ...how.settings,
    ]);
    // Operations are locked before items, by everybody.
    const dead = settled.filter(({ status }) => status === 'dead').map(({ id }) => id);
    const progress = dead.length > 0 ? await endItems(dead, 'failed', how.ifDead, transaction) : [];
    const replaced = settled.filter(({ newer }) => newer !== null);
    if (replaced.length > 0)
      await transaction.query(handItems, [replaced.map(({ id }) => id), replaced.map(({ newer }) => newer)]);
    return { settled: new Map(settled.map(({ id, status }) => [id, status])), progress };
  });
}

/** As the statements take it. */
export const wordsOf = ({ code, message, remedy }: OperationError | NoFailure): (string | null)[] => [code, message, remedy];
