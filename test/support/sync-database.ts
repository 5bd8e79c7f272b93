import { syncMigrations } from '@soleil/sync';
import { DataSource } from 'typeorm';
import { migratedDatabase, type TestDatabase } from './database.js';

/** A database of a test's own, with the tables of Sync. */
export async function syncDatabase(): Promise<TestDatabase> {
  return migratedDatabase('sync', async (url) => {
    const source = new DataSource({ type: 'postgres', url, migrations: syncMigrations });
    await source.initialize();
    await source.runMigrations();
    await source.destroy();
  });
}
