import type { PoolClient } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';

/** A statement, planned once per connection under its name. */
export interface LeaderStatement {
  name: string;
  text: string;
}

/** A statement that takes longer is given up, and with it the office: nobody waits for its locks for ever. */
const statementTimeoutMs = 10_000;
/** No answer for this long: the network is gone, since the database would have given up by then. */
const answerTimeoutMs = statementTimeoutMs + 2_000;
const keepaliveSeconds = 1;
const keepalivesMissed = 3;

/**
 * The one connection on which a process applies for the office and holds it. It is never shared and never handed back:
 * a successor may end its backend, which must not be somebody else's by then.
 *
 * A leader that is stopped or cut off in the middle of a result leaves a backend that waits for it with its locks held,
 * before the commit. A successor ends that backend where it may. Where it may not, TCP does: the backend's send fails
 * when nothing was taken for the time of a lease.
 */
export class LeaderConnection {
  private constructor(
    private readonly runner: QueryRunner,
    private readonly client: PoolClient & { end(): Promise<void> },
  ) {}

  static async open(database: DataSource, leaseMs: number): Promise<LeaderConnection> {
    const runner = database.createQueryRunner();
    const client = (await runner.connect()) as PoolClient & { end(): Promise<void> };
    const connection = new LeaderConnection(runner, client);
    try {
      await connection.query(settings, [
        String(statementTimeoutMs),
        String(leaseMs),
        String(keepaliveSeconds),
        String(keepalivesMissed),
      ]);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** @throws what the database says, or that it said nothing in time: whether it took effect is not known then */
  async query<Row extends object>(statement: LeaderStatement, values: readonly unknown[]): Promise<Row[]> {
    const query = { ...statement, values: [...values], query_timeout: answerTimeoutMs };
    return (await this.client.query<Row & { [column: string]: unknown }>(query)).rows;
  }

  /** Ends it, without waiting for an answer that is outstanding. */
  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
    await this.runner.release().catch(() => undefined);
  }
}

// The planner takes the outbox for as small as it mostly is, and plans are kept: it would read a backlog whole, and rows
// that are gone, for each batch. Only an index scan ends when the batch is full.
const settings: LeaderStatement = {
  name: 'sync_leader_settings',
  text: `
    select set_config('statement_timeout', $1, false), set_config('tcp_user_timeout', $2, false),
           set_config('tcp_keepalives_idle', $3, false), set_config('tcp_keepalives_interval', $3, false),
           set_config('tcp_keepalives_count', $4, false),
           set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false)`,
};
