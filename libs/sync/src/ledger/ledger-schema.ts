import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The delivery ledger. A receipt is the end of a run: the messages after the reader's receipt before it, up to and
 * including `up_to`, were acknowledged at `acknowledged_at`. So a device costs one row for each second in which it
 * acknowledged something, however many messages that were, and nothing while it is idle.
 *
 * Rows of `sync_device` are touched every few seconds, hence the fill factor and no index on what changes.
 */
export class SyncLedger1764000003020 implements MigrationInterface {
  name = 'SyncLedger1764000003020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table sync_device (
        id bigint generated always as identity primary key,
        user_id text not null,
        device_id text not null,
        durable boolean not null,
        connection uuid not null,
        connected_at timestamptz not null,
        connected boolean not null,
        first_seen_at timestamptz not null,
        last_seen_at timestamptz not null,
        unique (user_id, device_id)
      ) with (fillfactor = 50)`);
    await runner.query(`
      create table sync_reader (
        id bigint generated always as identity primary key,
        device bigint not null,
        channel text not null,
        unique (device, channel)
      )`);
    await runner.query(`
      create table sync_receipt (
        reader bigint not null,
        up_to bigint not null,
        acknowledged_at timestamptz not null,
        primary key (reader, up_to)
      )`);
    await runner.query(`
      create table sync_holding (
        device bigint not null,
        key text not null,
        hash text not null,
        since timestamptz not null,
        primary key (device, key)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sync_device, sync_reader, sync_receipt, sync_holding');
  }
}

/** A file may move from one channel to another: what is said of it in the one says nothing of the other. */
export class SyncHoldingChannel1764000003050 implements MigrationInterface {
  name = 'SyncHoldingChannel1764000003050';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sync_holding add column channel text, drop constraint sync_holding_pkey');
    await runner.query(`
      update sync_holding h set channel = latest.channel
      from (
        select distinct on (key) key, channel from sync_message
        where key is not null and data is not null order by key, published_at desc
      ) latest
      where latest.key = h.key`);
    await runner.query('delete from sync_holding where channel is null');
    await runner.query('alter table sync_holding add primary key (device, channel, key)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      delete from sync_holding h using sync_holding newer
      where newer.device = h.device and newer.key = h.key and (newer.since, newer.channel) > (h.since, h.channel)`);
    await runner.query('alter table sync_holding drop column channel, add primary key (device, key)');
  }
}

/** What people call a device. */
export class SyncDeviceName1764000003021 implements MigrationInterface {
  name = 'SyncDeviceName1764000003021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sync_device add column name text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sync_device drop column name');
  }
}
