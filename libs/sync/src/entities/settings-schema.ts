import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the leaders of a band have chosen. */
export class SyncBandSetting1764000003081 implements MigrationInterface {
  name = 'SyncBandSetting1764000003081';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sync_band_setting (
        band_id text primary key,
        interval_seconds integer check (interval_seconds > 0),
        file_types text[] check (cardinality(file_types) > 0),
        largest_bytes bigint check (largest_bytes > 0),
        operations_per_minute integer check (operations_per_minute > 0)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sync_band_setting');
  }
}
