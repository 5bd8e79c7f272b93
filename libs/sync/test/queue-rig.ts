import { DataSource, type QueryRunner } from 'typeorm';
import type { TestDatabase } from '../../../test/support/database.js';
import { syncDatabase } from '../../../test/support/sync-database.js';
import { SyncItem } from '../src/entities/sync-item.js';
import { SyncOperation, type Priority } from '../src/entities/sync-operation.js';
import { presenceLocks } from '../src/log/node-link.js';
import type { NewOperation } from '../src/queue/intake.js';
import type { Claim, LeaseOptions } from '../src/queue/leases.js';
import type { Failure, Settlements } from '../src/queue/settlements.js';
import { QueueParts, type ProcessParts } from './queue-parts.js';

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

/** One process, which others see alive until it dies. */
export interface Worker extends ProcessParts {
  die(): Promise<void>;
}

/** The queue on a database that is gone after the test, and processes that work on it without their loop. */
export class QueueRig extends QueueParts {
  private readonly alive: QueryRunner[] = [];

  private constructor(
    private readonly testDatabase: TestDatabase,
    readonly source: DataSource,
  ) {
    super(source);
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
    await this.source.destroy();
    await this.testDatabase.drop();
  }

  /** A process of that number, which shows that it lives. */
  async worker(number: number, options?: Partial<LeaseOptions>): Promise<Worker> {
    const runner = this.source.createQueryRunner();
    this.alive.push(runner);
    await runner.query('select pg_advisory_lock_shared($1, $2)', [presenceLocks, number]);
    return {
      ...this.process(number, options),
      die: () => runner.query('select pg_advisory_unlock_all()') as Promise<void>,
    };
  }

  /** Their ids, in the order in which they were wanted. */
  async enqueue(...wanted: NewOperation[]): Promise<string[]> {
    return (await this.intake.enqueue(wanted)).map(({ id }) => id);
  }

  /** All in one transaction. */
  complete(...claims: Claim[]): ReturnType<Settlements['complete']> {
    return this.source.transaction((transaction) =>
      this.settlements.complete(
        claims.map((claim) => ({ ...claim, preparedMs: 5 })),
        transaction,
      ),
    );
  }

  row(id: string): Promise<SyncOperation> {
    return this.source.getRepository(SyncOperation).findOneByOrFail({ id });
  }

  /** Of each item of this operation, the file and how it is with it. */
  async itemsOf(operationId: string): Promise<string[]> {
    const items = await this.source.getRepository(SyncItem).find({ where: { operationId }, order: { fileId: 'ASC' } });
    return items.map(({ fileId, status }) => `${fileId} ${status}`);
  }

  /** Resolves once a transaction waits for what another one has locked. */
  async someoneWaits(): Promise<void> {
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await this.source.query<unknown[]>(waits)).length === 0);
  }
}
