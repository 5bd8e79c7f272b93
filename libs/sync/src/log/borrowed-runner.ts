import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { databaseUnavailable } from './database-away.js';

/**
 * Borrows a connection for some work. One that does not answer in time is given up, so that a database which fell silent
 * without closing its connections holds nobody up; what the work did may have happened all the same.
 *
 * @param onTimeout called first, with the error
 * @throws SyncError `database_unavailable` after `timeoutMs`; what the work throws
 */
export async function withRunner<Result>(
  database: DataSource,
  timeoutMs: number,
  work: (runner: QueryRunner) => Promise<Result>,
  onTimeout: (error: Error) => void = () => undefined,
): Promise<Result> {
  const runner = database.createQueryRunner();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = databaseUnavailable(new Error(`No answer within ${timeoutMs} ms`));
      onTimeout(error);
      void abandon(runner);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(runner).finally(() => void runner.release()), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** One statement, under the terms of {@link withRunner}. */
export async function queryWithin<Row>(
  database: DataSource,
  timeoutMs: number,
  sql: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  return withRunner(database, timeoutMs, (runner) => runner.query(sql, [...parameters]) as Promise<Row[]>);
}

/** All of the work, or nothing. */
export async function inTransaction<Result>(runner: QueryRunner, work: () => Promise<Result>): Promise<Result> {
  await runner.startTransaction();
  try {
    const result = await work();
    await runner.commitTransaction();
    return result;
  } catch (error) {
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

/** A transaction, under the terms of {@link withRunner}. */
export async function transactionWithin<Result>(
  database: DataSource,
  timeoutMs: number,
  work: (transaction: EntityManager) => Promise<Result>,
): Promise<Result> {
  return withRunner(database, timeoutMs, (runner) => inTransaction(runner, () => work(runner.manager)));
}

/** Ends a connection whose answer nobody waits for any more; the work on it then fails and releases it. */
async function abandon(runner: QueryRunner): Promise<void> {
  try {
    await ((await runner.connect()) as PoolClient & { end(): Promise<void> }).end();
  } catch {
    // It was not there yet, and never will be.
  }
}
