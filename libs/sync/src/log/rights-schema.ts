import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds at once whose right to a channel has ended: few messages among many. */
export class SyncRights1764000003040 implements MigrationInterface {
  name = 'SyncRights1764000003040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index sync_message_right_ended on sync_message (channel) where type = 'sync.right_ended'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index sync_message_right_ended');
  }
}
