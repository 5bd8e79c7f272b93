import type { DataSource, EntityManager, EntitySubscriberInterface, QueryRunner } from 'typeorm';

/**
 * Calls back once a transaction has committed, and never when it rolled back. TypeORM tells its subscribers of every
 * commit; this one remembers which transactions somebody waits for.
 */
export class CommitWatch implements EntitySubscriberInterface {
  private readonly waiting = new WeakMap<QueryRunner, Set<() => void>>();

  constructor(database: DataSource) {
    database.subscribers.push(this);
  }

  /** Without an open transaction the work is committed already: called back at once. One callback is called once per transaction. */
  after(transaction: EntityManager | undefined, callback: () => void): void {
    const runner = transaction?.queryRunner;
    if (!runner?.isTransactionActive) {
      callback();
      return;
    }
    const callbacks = this.waiting.get(runner) ?? new Set();
    this.waiting.set(runner, callbacks.add(callback));
  }

  afterTransactionCommit({ queryRunner }: { queryRunner: QueryRunner }): void {
    // A released savepoint is told here, too; the transaction around it is still open.
    if (queryRunner.isTransactionActive) return;
    const callbacks = this.waiting.get(queryRunner);
    this.waiting.delete(queryRunner);
    for (const callback of callbacks ?? []) callback();
  }

  afterTransactionRollback({ queryRunner }: { queryRunner: QueryRunner }): void {
    if (!queryRunner.isTransactionActive) this.waiting.delete(queryRunner);
  }
}
