import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One index finds both: the newest message of each key, and what has no key. The latter were not in it before, so a reader
 * far behind would have to look at every message it missed.
 */
export class SyncLogIndex1764000003030 implements MigrationInterface {
  name = 'SyncLogIndex1764000003030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('drop index sync_message_by_key');
    await runner.query('create index sync_message_by_key on sync_message (channel, key, "offset")');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index sync_message_by_key');
    await runner.query('create index sync_message_by_key on sync_message (channel, key, "offset") where key is not null');
  }
}
