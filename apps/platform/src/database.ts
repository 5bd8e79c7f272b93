import { authEntities, authMigrations } from '@soleil/auth';
import { contentEntities, contentMigrations } from '@soleil/content';
import { driveEntities, driveMigrations } from '@soleil/drive';
import { syncEntities, syncMigrations } from '@soleil/sync';
import { DataSource, type DataSourceOptions } from 'typeorm';

/** Any number that nobody else locks in this database: whoever migrates holds it. */
const migrationLock = 0x501e11;

/** One database for all modules; each brings its own entities and migrations. */
export function dataSourceOptions(url: string | undefined): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    entities: [...authEntities, ...driveEntities, ...contentEntities, ...syncEntities],
    migrations: [...authMigrations, ...driveMigrations, ...contentMigrations, ...syncMigrations],
    synchronize: false,
    poolSize: 20,
    connectTimeoutMS: 10_000,
    // An idle connection whose other end is gone, behind a router that forgot it for instance, is found out.
    extra: { keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
  };
}

/** Brings the schema up to date. Processes that start together do it one after another. */
export async function migrate(url: string): Promise<void> {
  const source = await new DataSource(dataSourceOptions(url)).initialize();
  const lock = source.createQueryRunner();
  try {
    await lock.query('select pg_advisory_lock($1)', [migrationLock]);
    await source.runMigrations();
    await lock.query('select pg_advisory_unlock($1)', [migrationLock]);
  } finally {
    await lock.release();
    await source.destroy();
  }
}
