import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much users have asked for, and bands have begun, in the running minute; and until when a band is paused. */
export class SyncPace1764000003080 implements MigrationInterface {
  name = 'SyncPace1764000003080';

  async up(runner: QueryRunner): Promise<void> {
    // As rate-limiter-flexible has it.
    await runner.query(`
      create table sync_rate_limit (
        key text primary key,
        points integer not null default 0,
        expire bigint
      )`);
    await runner.query(`
      create table sync_band_pace (
        band_id text primary key,
        begun integer not null default 0,
        minute_ends_at timestamptz not null default '-infinity',
        paused_since timestamptz not null default '-infinity',
        paused_until timestamptz not null default '-infinity',
        code text,
        message text
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sync_rate_limit, sync_band_pace');
  }
}
