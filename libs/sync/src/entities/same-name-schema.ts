import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a band chose of several files with one name. */
export class SyncSameName1764000003100 implements MigrationInterface {
  name = 'SyncSameName1764000003100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table sync_band_setting add column same_name text check (same_name in ('all', 'newest'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sync_band_setting drop column same_name');
  }
}
