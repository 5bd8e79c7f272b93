import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The log: `sync_outbox` takes what committed transactions publish, the sequencer moves it to `sync_message` under the
 * office that `sync_leader` grants. `sync_channel` holds each channel's head and is updated once a batch, hence the fill
 * factor: almost every update stays on its page (HOT).
 */
export class SyncLog1764000003001 implements MigrationInterface {
  name = 'SyncLog1764000003001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sync_outbox (
        id bigint generated always as identity primary key,
        message_id uuid not null,
        channel text not null,
        type text not null,
        key text,
        data jsonb,
        published_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table sync_channel (
        name text primary key,
        head bigint not null,
        epoch text not null
      ) with (fillfactor = 20)`);
    await runner.query(`
      create table sync_channel_epoch (
        channel text not null,
        epoch text not null,
        began_at bigint not null,
        primary key (channel, epoch)
      )`);
    await runner.query(`
      create table sync_message (
        channel text not null,
        "offset" bigint not null,
        id uuid not null unique,
        type text not null,
        key text,
        data jsonb,
        published_at timestamptz not null,
        primary key (channel, "offset")
      )`);
    await runner.query(`create index sync_message_by_key on sync_message (channel, key, "offset") where key is not null`);
    await runner.query(`
      create table sync_leader (
        office boolean primary key default true check (office),
        term bigint not null,
        epoch text not null,
        node text not null,
        backend_pid integer,
        backend_started_at timestamptz,
        lease_until timestamptz not null
      )`);
    await runner.query(`insert into sync_leader (term, epoch, node, lease_until) values (0, '', '', '-infinity')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sync_outbox, sync_channel, sync_channel_epoch, sync_message, sync_leader');
  }
}
