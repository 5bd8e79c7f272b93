import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DriveTables1764000001001 implements MigrationInterface {
  readonly name = 'DriveTables1764000001001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table drive_folder (
        band_id text primary key,
        provider text not null,
        settings jsonb not null,
        cursor jsonb,
        connected_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table drive_file (
        file_id uuid primary key,
        band_id text not null references drive_folder,
        path text not null,
        size bigint not null,
        hash text not null,
        mime_type text not null,
        revision bigint not null,
        modified_at timestamptz not null,
        source_id text,
        fingerprint jsonb not null,
        link_target text,
        problem jsonb,
        removed_at timestamptz,
        check (problem is null or hash = '')
      )`);
    await runner.query(`create unique index drive_file_present on drive_file (band_id, path) where removed_at is null`);
    await runner.query(
      `create index drive_file_removed on drive_file (band_id, path, removed_at desc) where removed_at is not null`,
    );
    await runner.query(
      `create index drive_file_link on drive_file (band_id, link_target) where link_target is not null and removed_at is null`,
    );
    await runner.query(`
      create table drive_change (
        seq bigint generated always as identity primary key,
        event_id uuid not null unique default gen_random_uuid(),
        band_id text not null references drive_folder,
        file_id uuid not null references drive_file,
        kind text not null check (kind in ('added', 'changed', 'removed')),
        path text not null,
        revision bigint not null,
        at timestamptz not null default clock_timestamp(),
        unique (file_id, revision)
      )`);
    await runner.query(`create index drive_change_of_band on drive_change (band_id, seq)`);
    await runner.query(`
      create table drive_cursor (
        band_id text primary key references drive_folder,
        told_seq bigint not null default 0,
        teller uuid,
        leased_until timestamptz
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table drive_cursor, drive_change, drive_file, drive_folder');
  }
}
