import { setTimeout as pass } from 'node:timers/promises';
import pg from 'pg';
import { syncMigrations } from '@soleil/sync';
import { DataSource } from 'typeorm';
import { Findings } from './evidence.js';

/** What a killed worker leaves behind. */
export interface Orphans {
  killedAt: Date;
  ids: string[];
}

/** The run's own look at the queue and the log: past the workers, and only to compare. */
export class QueueOfRun {
  private readonly pool: pg.Pool;

  constructor(private readonly url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 4 });
    // It is crashed on purpose.
    this.pool.on('error', () => undefined);
  }

  async prepare(): Promise<void> {
    const source = new DataSource({ type: 'postgres', url: this.url, migrations: syncMigrations });
    await source.initialize();
    await source.runMigrations();
    await source.destroy();
  }

  async now(): Promise<Date> {
    return (await this.query<{ now: Date }>('select clock_timestamp() as now'))[0]!.now;
  }

  /** Of those that news brought, and that were never lost. What a full sync brought may have to wait for these, what was lost before waits anyway. */
  async heldBy(node: string): Promise<string[]> {
    const rows = await this.query<{ id: string }>(
      'select id from sync_operation where node = $1 and lease_token is not null and priority = 1 and losses = 0',
      [node],
    );
    return rows.map(({ id }) => id);
  }

  /** How long after the kill the last of them was claimed again, or a newer one that stands for it; null when none had to be. */
  async runAgainMs({ killedAt, ids }: Orphans, withinMs: number): Promise<number | null> {
    const until = Date.now() + withinMs;
    const again = new Map<string, number>();
    let open = ids;
    while (open.length > 0 && Date.now() < until) {
      const rows = await this.query<{ id: string; afterMs: number | null }>(
        `select lost.id, (extract(epoch from min(o.started_at) - $2) * 1000)::float8 as "afterMs"
         from (select *, status = 'completed' and started_at <= $2 as "wasDone" from sync_operation where id = any($1)) as lost
         left join sync_operation o on o.ordering_key = lost.ordering_key and o.started_at > $2 and not "wasDone"
         where "wasDone" or o.id is not null group by lost.id`,
        [open, killedAt],
      );
      // Whose last act was to commit has nothing to be done again.
      for (const { id, afterMs } of rows) if (afterMs !== null) again.set(id, afterMs);
      open = open.filter((id) => !rows.some((row) => row.id === id));
      if (open.length > 0) await pass(20);
    }
    if (open.length > 0) return withinMs;
    return again.size === 0 ? null : Math.max(...again.values());
  }

  /** Operations that are not over, and messages that are not in the log, in words, when the time has passed. */
  async unsettled(withinMs: number): Promise<string[]> {
    const until = Date.now() + withinMs;
    for (;;) {
      const rows = await this.query<{ what: string }>(
        `select format('%s %s of %s, attempt %s, lost %s times, %s', status, id, ordering_key, attempts, losses, error_code) as what from sync_operation
         where status in ('pending', 'running', 'failed')
         union all select format('unsequenced message of %s', key) from sync_outbox where type = 'file_update'`,
      );
      if (rows.length === 0 || Date.now() > until) return rows.map(({ what }) => what);
      await pass(100);
    }
  }

  async dead(): Promise<string[]> {
    const rows = await this.query<{ what: string }>(
      `select format('%s of %s: %s %s', id, ordering_key, error_code, error_message) as what from sync_operation where status = 'dead'`,
    );
    return rows.map(({ what }) => what);
  }

  async counts(): Promise<{ operations: number; events: number; deadlocks: number }> {
    const rows = await this.query<{ operations: number; events: number; deadlocks: number }>(
      `select (select count(*)::int from sync_operation) as operations, (select count(*)::int from sync_inbox) as events,
              (select deadlocks::int from pg_stat_database where datname = current_database()) as deadlocks`,
    );
    return rows[0]!;
  }

  /** Holds the log against what the files are. */
  async judge(files: readonly { fileId: string; version: number }[]): Promise<{ [kind: string]: Findings }> {
    const { rows } = await this.pool.query<{ key: string; version: number }>(
      `select key, (data->>'revision')::int as version from sync_message where type = 'file_update' order by channel, "offset"`,
    );
    const [lost, doubled, inverted] = [new Findings(), new Findings(), new Findings()];
    const last = new Map<string, number>();
    for (const { key, version } of rows) {
      const before = last.get(key) ?? -1;
      if (version === before) doubled.add(`${key}: version ${version}`);
      if (version < before) inverted.add(`${key}: version ${version} after ${before}`);
      last.set(key, version);
    }
    for (const { fileId, version } of files) {
      const logged = last.get(`file:${fileId}`) ?? 0;
      if (logged !== version) lost.add(`${fileId}: the log ends with version ${logged} of ${version}`);
    }
    return { lost, doubled, inverted };
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** Again and again while the database is away. */
  private async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.pool.query<Row>(sql, values)).rows;
      } catch (error) {
        if (attempt > 200) throw error;
        await pass(50);
      }
    }
  }
}
