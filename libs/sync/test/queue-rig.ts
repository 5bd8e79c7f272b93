import { DataSource, type QueryRunner } from 'typeorm';
import type { TestDatabase } from '../../../test/support/database.js';
import { syncDatabase } from '../../../test/support/sync-database.js';
import { Intake, type NewOperation } from '../src/engine/intake.js';
import { OperationQueue, type Claim, type Failure } from '../src/engine/operation-queue.js';
import { SyncItem } from '../src/entities/sync-item.js';
import { SyncOperation, type Priority } from '../src/entities/sync-operation.js';
import { presenceLocks } from '../src/log/node-link.js';

export const every: readonly Priority[] = ['critical', 'high', 'normal', 'low'];
export const again: Failure = { code: 'busy', message: 'Not just now.', remedy: 'Wait.', retryInMs: 0, isFree: false };
export const never: Failure = { ...again, retryInMs: null };

export const file = (fileId: string, more: Partial<NewOperation> = {}): NewOperation & { fileId: string } => ({
  kind: 'file',
  priority: 'normal',
  orderingKey: `file:${fileId}`,
  cause: 'test',
  bandId: 'b1',
  ...more,
  fileId,
});
export const band = (): NewOperation => ({
  kind: 'band',
  priority: 'high',
  orderingKey: 'band:b1',
  cause: 'test',
  bandId: 'b1',
  mode: 'full',
});
export const filesOf = (claims: readonly Claim[]): (string | null)[] => claims.map(({ operation }) => operation.fileId);

/** The queue of one process, which others see alive until it dies. */
export type Worker = OperationQueue & { die(): Promise<void> };

/** The queue's database, gone after the test, and processes that work on it without their loop. */
export class QueueRig {
  readonly intake: Intake;
  private readonly alive: QueryRunner[] = [];

  private constructor(
    private readonly testDatabase: TestDatabase,
    readonly database: DataSource,
  ) {
    this.intake = new Intake(database);
  }

  static async make(): Promise<QueueRig> {
    const testDatabase = await syncDatabase();
    const database = new DataSource({
      type: 'postgres',
      url: testDatabase.url,
      entities: [SyncOperation, SyncItem],
      poolSize: 30,
    });
    return new QueueRig(testDatabase, await database.initialize());
  }

  async remove(): Promise<void> {
    for (const runner of this.alive.splice(0)) await runner.release();
    await this.database.destroy();
    await this.testDatabase.drop();
  }

  /** A process of that number, which shows that it lives. */
  async worker(number: number, { leaseMs = 60_000, bandOperationsPerMinute = null as number | null } = {}): Promise<Worker> {
    const runner = this.database.createQueryRunner();
    this.alive.push(runner);
    await runner.query('select pg_advisory_lock_shared($1, $2)', [presenceLocks, number]);
    const queue = new OperationQueue(this.database, this.intake, {
      node: `node-${number}`,
      worker: number,
      leaseMs,
      bandOperationsPerMinute,
    });
    return Object.assign(queue, { die: () => runner.query('select pg_advisory_unlock_all()') as Promise<void> });
  }

  /** Their ids, in the order in which they were wanted. */
  async enqueue(...wanted: NewOperation[]): Promise<string[]> {
    return (await this.intake.enqueue(wanted)).map(({ id }) => id);
  }

  /** All in one transaction. */
  complete(queue: OperationQueue, ...claims: Claim[]): ReturnType<OperationQueue['complete']> {
    return this.database.transaction((transaction) =>
      queue.complete(
        claims.map((claim) => ({ ...claim, preparedMs: 5 })),
        transaction,
      ),
    );
  }

  row(id: string): Promise<SyncOperation> {
    return this.database.getRepository(SyncOperation).findOneByOrFail({ id });
  }

  /** Of each item of this operation, the file and how it is with it. */
  async itemsOf(operationId: string): Promise<string[]> {
    const items = await this.database.getRepository(SyncItem).find({ where: { operationId }, order: { fileId: 'ASC' } });
    return items.map(({ fileId, status }) => `${fileId} ${status}`);
  }

  /** Resolves once a transaction waits for what another one has locked. */
  async someoneWaits(): Promise<void> {
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await this.database.query<unknown[]>(waits)).length === 0);
  }
}
