import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ContentTables1764000002001 implements MigrationInterface {
  readonly name = 'ContentTables1764000002001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table content_file (
        file_id text primary key,
        band_id text not null,
        path text not null,
        song_id text,
        title text not null,
        kind text not null check (kind in ('chart', 'part', 'audio', 'setlist', 'placeholder', 'unknown')),
        audience text,
        revision bigint not null,
        hash text not null,
        readable boolean not null,
        problem jsonb,
        summary jsonb not null,
        parser_version int not null,
        reported_version int not null,
        parsed_at timestamptz not null default now(),
        removed_at timestamptz,
        check (readable = (problem is null))
      )`);
    await queryRunner.query(`create index content_file_band on content_file (band_id, kind) where removed_at is null`);
    await queryRunner.query(`
      create table content_fact (
        seq bigint generated always as identity primary key,
        event_id uuid not null unique default gen_random_uuid(),
        name text not null,
        band_id text not null,
        file_id text not null,
        caused_by text,
        at timestamptz not null default clock_timestamp(),
        attempts int not null default 0,
        next_at timestamptz not null default clock_timestamp()
      )`);
    await queryRunner.query(`create index content_fact_file on content_fact (file_id, seq)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`drop table content_fact`);
    await queryRunner.query(`drop table content_file`);
  }
}
