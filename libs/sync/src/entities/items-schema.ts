import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an operation is made of, which process works on it, and an index for each question that is asked of the queue. */
export class SyncItems1764000003060 implements MigrationInterface {
  name = 'SyncItems1764000003060';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table sync_operation
        add column worker integer,
        add column prepared_at timestamptz,
        add column error_remedy text,
        add column items_total integer not null default 0,
        add column items_done integer not null default 0,
        add column items_failed integer not null default 0,
        drop constraint sync_operation_check,
        add constraint sync_operation_leased check (lease_token is null or status = 'running')`);
    await runner.query(`
      create table sync_item (
        operation_id uuid not null references sync_operation (id) on delete cascade,
        file_id text not null,
        by_operation uuid not null,
        status text not null default 'waiting' check (status in ('waiting', 'completed', 'failed', 'cancelled')),
        error_code text,
        error_message text,
        finished_at timestamptz,
        primary key (operation_id, file_id)
      )`);
    await runner.query(`create index sync_item_open on sync_item (by_operation) where status = 'waiting'`);
    // An operation whose items are being worked on holds up no other one of its key.
    await runner.query(`drop index sync_operation_one_running`);
    await runner.query(
      `create unique index sync_operation_one_running on sync_operation (ordering_key) where lease_token is not null`,
    );
    await runner.query(`create index sync_operation_finished on sync_operation (finished_at) where finished_at is not null`);
    await runner.query(`create index sync_operation_dead on sync_operation (band_id, finished_at) where status = 'dead'`);
    await runner.query(`drop index sync_operation_leased`);
    await runner.query(`create index sync_operation_held on sync_operation (lease_until) where lease_token is not null`);
    await runner.query(`create index sync_inbox_of_operation on sync_inbox (operation_id)`);
    await runner.query(`create index sync_inbox_received on sync_inbox (received_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sync_item');
    await runner.query(
      'drop index sync_inbox_of_operation, sync_inbox_received, sync_operation_finished, sync_operation_dead',
    );
    await runner.query('drop index sync_operation_one_running, sync_operation_held');
    await runner.query(`
      alter table sync_operation
        drop column worker, drop column prepared_at, drop column error_remedy, drop column items_total, drop column items_done, drop column items_failed,
        drop constraint sync_operation_leased,
        add constraint sync_operation_check check ((status = 'running') = (lease_token is not null))`);
    await runner.query(
      `create unique index sync_operation_one_running on sync_operation (ordering_key) where status = 'running'`,
    );
    await runner.query(`create index sync_operation_leased on sync_operation (lease_until) where status = 'running'`);
  }
}
