import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For the question when a band was looked over last, which is asked every few seconds. */
export class SyncLooks1764000003070 implements MigrationInterface {
  name = 'SyncLooks1764000003070';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create index sync_operation_looked on sync_operation (band_id, coalesce(prepared_at, finished_at)) where kind = 'band'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index sync_operation_looked');
  }
}
