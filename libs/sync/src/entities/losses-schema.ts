import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often an operation was lost with its worker, which was counted as an attempt before. */
export class SyncLosses1764000003090 implements MigrationInterface {
  name = 'SyncLosses1764000003090';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sync_operation add column losses integer not null default 0');
    await runner.query(`
      update sync_operation set losses = attempts, attempts = 0, error_code = 'lost_too_often'
      where status = 'dead' and error_code = 'worker_lost'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      update sync_operation set attempts = losses, error_code = 'worker_lost'
      where status = 'dead' and error_code = 'lost_too_often'`);
    await runner.query('alter table sync_operation drop column losses');
  }
}
