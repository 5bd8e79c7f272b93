import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authEntities, authMigrations } from '@soleil/auth';
import { startPostgres, type EmbeddedPostgres } from '@soleil/devdb';
import { syncEntities, syncMigrations } from '@soleil/sync';
import { DataSource } from 'typeorm';
import { projectRoot } from '../apps/platform/src/config.js';
import { compileLoad, Load, type Answer, type LoadSetting } from './load/load.js';
import type { OursSetting, StockSetting } from './rigs/messages.js';
import { startRedis } from './redis.js';
import { Rig } from './rigs/rig.js';

/** Where a measure runs: what it starts here ends with it, the last first. */
export class Arena {
  private readonly ends: (() => Promise<unknown>)[] = [];

  private constructor(
    /** For a look whether all works: short, and its figures are worth nothing. */
    readonly isQuick: boolean,
    readonly home: string,
    private readonly loadProgram: string,
  ) {
    this.ends.push(() => rm(home, { recursive: true, force: true }));
  }

  static async open(isQuick: boolean): Promise<Arena> {
    const home = await mkdtemp(join(tmpdir(), 'soleil-bench-'));
    return new Arena(isQuick, home, await compileLoad(join(projectRoot, 'bench/load'), home));
  }

  /** One of each round's length, or for a quick look. */
  pick<Value>(whole: Value, quick: Value): Value {
    return this.isQuick ? quick : whole;
  }

  /** A PostgreSQL with fsync on. */
  async emptyPostgres(settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
    const postgres = await startPostgres({ dataDir: join(this.home, `postgres-${this.ends.length}`), settings });
    this.ends.push(() => postgres.stop());
    return postgres;
  }

  /** One with the tables of Sync and Auth. */
  async postgres(settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
    const postgres = await this.emptyPostgres(settings);
    const database = await dataSource(postgres.url()).initialize();
    await database.runMigrations();
    await database.destroy();
    return postgres;
  }

  /** @returns its address; null where no Redis is installed */
  async redis(): Promise<string | null> {
    const redis = await startRedis(this.home);
    return redis && this.ending(redis).url;
  }

  async database(url: string): Promise<DataSource> {
    const database = await dataSource(url).initialize();
    this.ends.push(async () => database.isInitialized && database.destroy());
    return database;
  }

  async ours(setting: OursSetting): Promise<Rig> {
    return this.ending(await Rig.start('ours', setting));
  }

  async stock(setting: StockSetting = {}): Promise<Rig> {
    return this.ending(await Rig.start('stock', setting));
  }

  load(rig: Rig, setting: Omit<LoadSetting, 'port' | 'publishPort' | 'channel'>): Load {
    const { port, publishPort, channel } = rig;
    return this.ending(Load.start(this.loadProgram, { ...setting, port, publishPort, channel }));
  }

  async close(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
  }

  private ending<Started extends { stop(): Promise<unknown> }>(started: Started): Started {
    this.ends.push(() => started.stop());
    return started;
  }
}

const dataSource = (url: string): DataSource =>
  new DataSource({
    type: 'postgres',
    url,
    entities: [...syncEntities, ...authEntities],
    migrations: [...syncMigrations, ...authMigrations],
  });

/** The gate of every measure. @throws Error when anything was lost, doubled or in another place than its own */
export function demandWhole<Given extends Answer>(answer: Given): Given {
  const { lost, doubled, misplaced, dropped, refused } = answer;
  // Where the server refuses, numbers and places are no longer the same.
  const wrong = lost + doubled + dropped + (refused > 0 ? 0 : misplaced);
  if (wrong > 0) throw new Error(`Not whole: ${JSON.stringify({ lost, doubled, misplaced, dropped })}`);
  return answer;
}
