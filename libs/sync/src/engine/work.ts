import type { Facts } from '@soleil/bus';
import type { EntityManager } from 'typeorm';
import type { SyncOperation } from '../entities/sync-operation.js';

/** What an operation found out, ready to take effect. */
export interface Effect {
  /**
   * Writes and publishes, in the transaction that completes the operation: both happen or neither, so an operation that
   * runs twice takes effect once.
   * @returns the fact to tell once it is committed, if there is one
   */
  apply(transaction: EntityManager): Promise<Facts['sync.file_updated'] | null>;
}

/** The work of one kind of operation. Asks, and changes nothing that matters if it is done twice: the rest is the effect's. */
export type Work = (operation: SyncOperation) => Promise<Effect>;
