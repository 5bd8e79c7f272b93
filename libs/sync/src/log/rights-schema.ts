import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds control messages among many others: those on their way, and in the log those that ended a right. */
export class SyncRights1764000003040 implements MigrationInterface {
  name = 'SyncRights1764000003040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index sync_outbox_control on sync_outbox (id) where type like 'sync.%'`);
    await runner.query(`create index sync_message_right_ended on sync_message (channel) where type = 'sync.right_ended'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index sync_message_right_ended, sync_outbox_control');
  }
}
