import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@soleil/devdb';
import { syncMigrations } from '@soleil/sync';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { LogReader } from '../../libs/sync/src/log/log-reader.js';
import { Retention } from '../../libs/sync/src/log/retention.js';
import { backupOf } from '../../libs/sync/test/backup.js';
import type { Access, MakeDatabase, SimulatedDatabase, Witness } from './database.js';
import { PostgresAccess, type Hands, type Lease } from './postgres-access.js';
import type { Carry } from '../../libs/sync/test/memory-log.js';

const tables = 'sync_outbox, sync_channel, sync_channel_epoch, sync_message, sync_idempotency, sync_retention';

/** A real PostgreSQL, empty for each world. */
export class SimulationPostgres {
  private constructor(
    private readonly url: string,
    private readonly admin: DataSource,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<SimulationPostgres> {
    const directory = await mkdtemp(join(tmpdir(), 'soleil-simulation-'));
    const server = await startPostgres({
      dataDir: join(directory, 'postgres'),
      settings: { fsync: 'off', autovacuum: 'off' },
    });
    // Its timers would be those of a simulated world.
    const extra = { idleTimeoutMillis: 0 };
    const admin = new DataSource({ type: 'postgres', url: server.url(), migrations: syncMigrations, poolSize: 1, extra });
    await admin.initialize();
    await admin.runMigrations();
    return new SimulationPostgres(server.url(), admin, async () => {
      await admin.destroy();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    });
  }

  readonly make: MakeDatabase = async (now, witness) => {
    const { admin, url } = this;
    await endBackends(admin, 'pid <> pg_backend_pid()');
    await admin.query(`truncate ${tables}`);
    await admin.query(`select setval('sync_outbox_id', 1, false)`);
    await admin.query(
      `update sync_leader set term = 0, epoch = '', node = '', backend_pid = null, lease_until = '-infinity'`,
    );
    return new PostgresDatabase(admin, url, now, witness);
  };
}

class PostgresDatabase implements SimulatedDatabase {
  private readonly lease: Lease;
  private readonly pool: pg.Pool;

  constructor(
    private readonly admin: DataSource,
    url: string,
    now: () => number,
    private readonly witness: Witness,
  ) {
    this.lease = { now, until: -Infinity };
    this.pool = new pg.Pool({ connectionString: url, idleTimeoutMillis: 0, max: 60 });
    // Connections are ended on purpose.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
    this.pool.on('error', () => undefined);
  }

  connect(carry: Carry, soon: Hands['soon']): Access {
    const access = new PostgresAccess(this.pool, carry, this.witness, {
      lease: this.lease,
      soon,
      end: (pid) => endBackends(this.admin, `pid = ${pid}`),
      runOut: () => this.admin.query(`update sync_leader set lease_until = '-infinity'`),
    });
    return { database: access.asDataSource, log: new LogReader(access.asDataSource), cut: () => access.cut() };
  }

  async backup(): Promise<() => Promise<void>> {
    const restore = await backupOf(this.admin);
    const { until } = this.lease;
    return async () => {
      // Open transactions are in no backup.
      await endBackends(this.admin, `state like 'idle in transaction%'`);
      await restore();
      this.lease.until = until;
    };
  }

  async prune(channel: string, horizon: number): Promise<Set<number>> {
    await this.admin.query(
      `update sync_message set published_at = clock_timestamp() - interval '31 days' where channel = $1 and "offset" <= $2`,
      [channel, horizon],
    );
    await new Retention(this.admin, { retentionDays: 30, retentionIntervalMs: 1 }).prune();
    const left = await this.admin.query<{ offset: number }[]>(
      `select "offset"::float8 as "offset" from sync_message where channel = $1 and "offset" <= $2`,
      [channel, horizon],
    );
    return new Set(left.map(({ offset }) => offset));
  }
}

/**
 * Resolves when these backends are gone, and their locks with them. (Postgres' own wait for that looks every 100 ms: it was
 * most of a world's time.)
 */
async function endBackends(admin: DataSource, which: string): Promise<void> {
  const those = `from pg_stat_activity where datname = current_database() and ${which}`;
  while ((await admin.query<unknown[]>(`select pg_terminate_backend(pid) ${those}`)).length > 0);
}
