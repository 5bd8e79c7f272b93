import { DataSource } from 'typeorm';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { backupOf } from '../../test/backup.js';
import { logContract } from '../../test/log-contract.js';
import { LogReader } from './log-reader.js';
import { Retention } from './retention.js';

describe('the log in PostgreSQL', () => {
  logContract(async () => {
    const testDatabase = await syncDatabase();
    const database = await new DataSource({ type: 'postgres', url: testDatabase.url }).initialize();
    return {
      database,
      reader: new LogReader(database),
      backup: () => backupOf(database),
      prune: async (channel, horizon) => {
        await database.query(
          `update sync_message set published_at = clock_timestamp() - interval '31 days' where channel = $1 and "offset" <= $2`,
          [channel, horizon],
        );
        await new Retention(database, { retentionDays: 30, retentionIntervalMs: 1 }).prune();
      },
      remove: async () => {
        await database.destroy();
        await testDatabase.drop();
      },
    };
  });
});
