import type { MigrationInterface, QueryRunner } from 'typeorm';

export class GoogleTables1764000001002 implements MigrationInterface {
  readonly name = 'GoogleTables1764000001002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table drive_channel (
        channel_id text primary key,
        band_id text not null references drive_folder,
        token text not null,
        resource_id text,
        renew_at timestamptz not null,
        expires_at timestamptz not null
      )`);
    await runner.query(`create index drive_channel_of_band on drive_channel (band_id)`);
    await runner.query(`
      create table drive_export (
        band_id text not null references drive_folder,
        hash text not null,
        bytes bytea not null,
        made_at timestamptz not null default clock_timestamp(),
        primary key (band_id, hash)
      )`);
    // PDFs are compressed; a range of what is not compressed again is read without reading the whole.
    await runner.query(`alter table drive_export alter column bytes set storage external`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table drive_export, drive_channel');
  }
}
