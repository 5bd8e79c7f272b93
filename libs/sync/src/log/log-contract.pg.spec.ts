import { DataSource } from 'typeorm';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { backupOf } from '../../test/backup.js';
import { logContract } from '../../test/log-contract.js';
import { LogReader } from './log-reader.js';

describe('the log in PostgreSQL', () => {
  logContract(async () => {
    const testDatabase = await syncDatabase();
    const database = await new DataSource({ type: 'postgres', url: testDatabase.url }).initialize();
    return {
      database,
      reader: new LogReader(database),
      backup: () => backupOf(database),
      remove: async () => {
        await database.destroy();
        await testDatabase.drop();
      },
    };
  });
});
