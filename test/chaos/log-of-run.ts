import pg from 'pg';
import { syncMigrations } from '@soleil/sync';
import { DataSource } from 'typeorm';
import type { LogMessage } from './evidence.js';
import type { LedgerLine } from './judge-ledger.js';
import { entitiesPerChannel } from './publisher.js';
import { numberOf, typeOf } from './record.js';

/** The run's own look at the database: past the servers, and only to compare. */
export class LogOfRun {
  private readonly pool: pg.Pool;

  constructor(private readonly url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 2 });
    // It is crashed on purpose.
    this.pool.on('error', () => undefined);
  }

  async prepare(channels: readonly string[]): Promise<void> {
    const source = new DataSource({ type: 'postgres', url: this.url, migrations: syncMigrations });
    await source.initialize();
    await source.runMigrations();
    await source.destroy();
    await this.pool.query(
      'create table chaos_entity (channel text, nth integer, version integer not null default 0, primary key (channel, nth))',
    );
    await this.pool.query(
      'insert into chaos_entity (channel, nth) select channel, nth from unnest($1::text[]) channel, generate_series(1, $2::int) nth',
      [[...new Set(channels)], entitiesPerChannel],
    );
  }

  /** Who is in office; null when nobody is, or nobody can be asked. */
  async leader(): Promise<string | null> {
    const rows = await this.query<{ node: string }>('select node from sync_leader where lease_until > clock_timestamp()');
    return rows?.[0]?.node ?? null;
  }

  async now(): Promise<Date | null> {
    return (await this.query<{ now: Date }>('select clock_timestamp() as now'))?.[0]?.now ?? null;
  }

  /** Whether all that was begun before is over and in the log. */
  async isSettled(since: Date): Promise<boolean> {
    const rows = await this.query<{ settled: boolean }>(
      `select not exists (select from pg_stat_activity
                          where datname = current_database() and backend_xid is not null and xact_start < $1)
          and not exists (select from sync_outbox where type like $2) as settled`,
      [since, `${typeOf(0).slice(0, -1)}%`],
    );
    return rows?.[0]?.settled ?? false;
  }

  async heads(): Promise<{ [channel: string]: number }> {
    const rows = await this.pool.query<{ name: string; head: number }>(
      'select name, head::float8 as head from sync_channel',
    );
    return Object.fromEntries(rows.rows.map(({ name, head }) => [name, head]));
  }

  /** All of it, ascending. */
  async messages(): Promise<LogMessage[]> {
    const { rows } = await this.pool.query<Omit<LogMessage, 'n'> & { type: string }>(
      `select channel, "offset"::float8 as "offset", id, type, key, data is null as gone
       from sync_message where channel not like 'node:%' order by channel, "offset"`,
    );
    return rows.map(({ type, ...message }) => ({ ...message, n: numberOf(type) }));
  }

  /** What the ledger says of the devices that are connected. */
  async ledger(): Promise<LedgerLine[]> {
    const { rows } = await this.pool.query<LedgerLine>(
      `select d.device_id as device, r.channel, coalesce(max(c.up_to), 0)::float8 as "upTo"
       from sync_device d join sync_reader r on r.device = d.id left join sync_receipt c on c.reader = r.id
       where d.connected group by d.id, r.channel`,
    );
    return rows;
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** @returns null while the database is away */
  private async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[] | null> {
    try {
      return (await this.pool.query<Row>(sql, values)).rows;
    } catch {
      return null;
    }
  }
}
