import type { DataSource, EntityManager } from 'typeorm';
import { queryWithin, transactionWithin, withRunner } from '../log/borrowed-runner.js';

/** A database that has not answered for so long fell silent. */
const longestAnswerMs = 10_000;

/**
 * The database as the queue asks it. What it does not answer in time fails with `database_unavailable`: a connection may have died without
 * a word, and what it held is claimed again.
 */
export class QueueDatabase {
  constructor(
    readonly source: DataSource,
    private readonly answerMs = longestAnswerMs,
  ) {}

  /** One statement, within the transaction where there is one. @throws SyncError `database_unavailable` */
  query<Row>(sql: string, parameters: readonly unknown[], transaction?: EntityManager): Promise<Row[]> {
    return transaction
      ? transaction.query<Row[]>(sql, [...parameters])
      : queryWithin<Row>(this.source, this.answerMs, sql, parameters);
  }

  /** Statements that need not be one transaction. @throws SyncError `database_unavailable` */
  read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    return withRunner(this.source, this.answerMs, (runner) => work(runner.manager));
  }

  /** All of the work, or nothing, unless the commit is what was not answered. @throws SyncError `database_unavailable` */
  transaction<Result>(work: (transaction: EntityManager) => Promise<Result>): Promise<Result> {
    return transactionWithin(this.source, this.answerMs, work);
  }
}
