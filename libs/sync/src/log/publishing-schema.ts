import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Idempotency keys, and what the scan of the outbox rests on: a transaction has its xid before it draws an id, whoever
 * inserts (see `OutboxScan`), and a row tells its size.
 */
export class SyncPublishing1764000003005 implements MigrationInterface {
  name = 'SyncPublishing1764000003005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sync_idempotency (
        channel text not null,
        key text not null,
        message_id uuid not null,
        content_hash bytea not null,
        published_at timestamptz not null default clock_timestamp(),
        primary key (channel, key)
      )`);
    await runner.query(`alter table sync_outbox alter column id drop identity`);
    await runner.query(`create sequence sync_outbox_id owned by sync_outbox.id`);
    await runner.query(`select setval('sync_outbox_id', coalesce((select max(id) from sync_outbox), 0) + 1, false)`);
    await runner.query(`
      alter table sync_outbox
        alter column id set default case when pg_current_xact_id() is not null then nextval('sync_outbox_id') end,
        add column bytes integer not null default 0`);
    await runner.query('alter table sync_outbox alter column bytes drop default');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table sync_outbox drop column bytes, alter column id drop default`);
    await runner.query('drop sequence sync_outbox_id');
    await runner.query('alter table sync_outbox alter column id add generated always as identity');
    await runner.query(
      `select setval(pg_get_serial_sequence('sync_outbox', 'id'), coalesce((select max(id) from sync_outbox), 0) + 1, false)`,
    );
    await runner.query('drop table sync_idempotency');
  }
}
