import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operations, the inbox of events already taken on, and the manifest of files. */
export class SyncEngine1764000003002 implements MigrationInterface {
  name = 'SyncEngine1764000003002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sync_operation (
        id uuid primary key,
        kind text not null,
        status text not null check (status in ('pending', 'running', 'completed', 'failed', 'dead', 'cancelled')),
        priority smallint not null,
        ordering_key text not null,
        band_id text,
        file_id text,
        user_id text,
        mode text,
        cause text not null,
        parent_id uuid,
        attempts integer not null default 0,
        run_at timestamptz not null default clock_timestamp(),
        node text,
        lease_token uuid,
        lease_until timestamptz,
        error_code text,
        error_message text,
        created_at timestamptz not null default clock_timestamp(),
        started_at timestamptz,
        finished_at timestamptz,
        check ((status = 'running') = (lease_token is not null))
      )`);
    await runner.query(
      `create unique index sync_operation_one_running on sync_operation (ordering_key) where status = 'running'`,
    );
    await runner.query(
      `create unique index sync_operation_one_waiting on sync_operation (ordering_key) where status in ('pending', 'failed')`,
    );
    await runner.query(
      `create index sync_operation_waiting on sync_operation (priority, run_at) where status in ('pending', 'failed')`,
    );
    await runner.query(`create index sync_operation_leased on sync_operation (lease_until) where status = 'running'`);
    await runner.query(`create index sync_operation_recent on sync_operation (created_at desc)`);
    await runner.query(`create index sync_operation_of_band on sync_operation (band_id, created_at desc)`);
    await runner.query(`create index sync_operation_of_parent on sync_operation (parent_id) where parent_id is not null`);
    await runner.query(`
      create table sync_inbox (
        event_id text primary key,
        operation_id uuid not null,
        received_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table sync_file (
        file_id text primary key,
        band_id text not null,
        channel text,
        revision bigint not null,
        state_hash text not null,
        message_id uuid,
        synced_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`create index sync_file_of_band on sync_file (band_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sync_operation, sync_inbox, sync_file');
  }
}
