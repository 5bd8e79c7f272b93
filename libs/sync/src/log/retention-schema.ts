import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How far each channel was pruned. A table of its own: the sequencer holds the lock on a channel's row in `sync_channel`
 * with every batch, and pruning must not wait for it, nor it for pruning.
 */
export class SyncRetention1764000003031 implements MigrationInterface {
  name = 'SyncRetention1764000003031';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sync_retention (
        channel text primary key,
        horizon bigint not null,
        pruned_to bigint not null
      )`);
    await runner.query('create index sync_idempotency_by_age on sync_idempotency (published_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index sync_idempotency_by_age');
    await runner.query('drop table sync_retention');
  }
}
