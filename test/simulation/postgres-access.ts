import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { isDatabaseAway } from '../../libs/sync/src/log/database-away.js';
import { toMessage } from '../../libs/sync/src/log/sequence-batch.js';
import type { Carry } from '../../libs/sync/test/memory-log.js';
import type { CommittedRow, Witness } from './database.js';

/** The leader's lease, on the clock of the simulated world and not on that of the database. */
export interface Lease {
  now: () => number;
  until: number;
}

/** What is done past the process, to the database itself. */
export interface Hands {
  lease: Lease;
  end(pid: number): Promise<void>;
  /** Does it when its turn in the simulated world comes. */
  soon(work: () => Promise<void>): void;
  runOut(): Promise<unknown>;
}

interface Query {
  name: string;
  text: string;
  values: unknown[];
}

/** So long that it does not run out by itself. */
const endlessMs = 1e12;

/**
 * A process's connections to PostgreSQL. Each statement waits for its turn in the simulated world, and runs to its end before
 * anything else happens there; so the same order of steps is the same history.
 */
export class PostgresAccess {
  private readonly open = new Set<PostgresRunner>();
  private readonly subscribers: unknown[] = [];

  constructor(
    readonly pool: pg.Pool,
    readonly carry: Carry,
    readonly witness: Witness,
    readonly hands: Hands,
  ) {}

  get asDataSource(): DataSource {
    const { subscribers } = this;
    const createQueryRunner = (): PostgresRunner => {
      const runner = new PostgresRunner(this, subscribers, () => this.open.delete(runner));
      this.open.add(runner);
      return runner;
    };
    return { subscribers, createQueryRunner } as unknown as DataSource;
  }

  async cut(): Promise<void> {
    for (const runner of [...this.open]) await runner.cut();
  }
}

/** Of TypeORM's query runner, and of a connection of pg, what the log's code uses. */
class PostgresRunner {
  isTransactionActive = false;
  readonly manager = { queryRunner: this };
  private client: (pg.PoolClient & { processID?: number }) | null = null;
  private isAlive = true;
  private published: CommittedRow[] = [];

  constructor(
    private readonly access: PostgresAccess,
    private readonly subscribers: readonly unknown[],
    private readonly gone: () => void,
  ) {}

  async connect(): Promise<unknown> {
    return {
      query: (query: Query) => this.perform((client) => this.execute(client, query)),
      end: async () => this.leave(),
    };
  }

  async query(text: string, values: unknown[]): Promise<unknown[]> {
    return (await this.perform((client) => client.query(text, values))).rows;
  }

  async startTransaction(): Promise<void> {
    await this.perform((client) => client.query('begin'));
    this.isTransactionActive = true;
  }

  async commitTransaction(): Promise<void> {
    await this.perform(async (client) => {
      await client.query('commit');
      this.committed();
    });
    this.isTransactionActive = false;
    this.tell('afterTransactionCommit');
  }

  async rollbackTransaction(): Promise<void> {
    await this.perform((client) => client.query('rollback'));
    this.published = [];
    this.isTransactionActive = false;
    this.tell('afterTransactionRollback');
  }

  async release(): Promise<void> {
    if (this.isTransactionActive) this.leave();
    if (!this.isAlive) return;
    this.isAlive = false;
    this.client?.release();
    this.gone();
  }

  /** The connection ends, and so does its backend before this resolves. */
  async cut(): Promise<void> {
    if (!this.isAlive) return;
    this.isAlive = false;
    await this.end();
  }

  /** The process closes the connection; the backend notices later. */
  private leave(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.access.hands.soon(() => this.end());
  }

  private async end(): Promise<void> {
    this.gone();
    if (!this.client) return;
    this.client.release(true);
    await this.access.hands.end(this.client.processID!);
  }

  private async perform<Answer>(work: (client: pg.PoolClient) => Promise<Answer>): Promise<Answer> {
    const answer = (await this.access.carry(async () => {
      this.checkAlive();
      this.client ??= await this.access.pool.connect();
      try {
        return await work(this.client);
      } catch (error) {
        // Not when the client notices, which is a matter of real time.
        if (isDatabaseAway(error)) await this.cut();
        throw error;
      }
    })) as Answer;
    this.checkAlive();
    return answer;
  }

  private checkAlive(): void {
    if (!this.isAlive) throw new Error('Connection terminated unexpectedly');
  }

  private async execute(client: pg.PoolClient, { name, text, values }: Query): Promise<pg.QueryResult> {
    const { lease, runOut } = this.access.hands;
    const leaseAt = { sync_take_office: 2, sync_renew_office: 0 }[name];
    if (/sync_(see_vacancy|end_predecessor|take_office)/.test(name) && lease.until < lease.now()) await runOut();
    const given = leaseAt === undefined ? values : values.with(leaseAt, endlessMs);
    const result = await client.query({ name, text, values: given });
    if (leaseAt !== undefined && result.rows.length > 0) lease.until = lease.now() + (values[leaseAt] as number);
    if (name === 'sync_publish_one') {
      const [, channel, type, key, data] = values as [string, string, string, string | null, string];
      this.published.push({ channel, type, key, data: JSON.parse(data) as unknown });
    } else if (name === 'sync_publish_several') {
      this.published.push(...(JSON.parse(values[0] as string) as CommittedRow[]));
    } else if (name === 'sync_sequence_batch') this.moved(result.rows as MovedRow[]);
    if (!this.isTransactionActive) this.committed();
    return result;
  }

  private committed(): void {
    if (this.published.length > 0) this.access.witness.committed(this.published);
    this.published = [];
  }

  private moved(rows: readonly MovedRow[]): void {
    for (const row of rows)
      if (row.channel !== null)
        this.access.witness.moved({ channel: row.channel, epoch: row.epoch, messages: [toMessage(row)] });
  }

  private tell(event: string): void {
    for (const subscriber of this.subscribers as Record<string, (event: object) => void>[])
      subscriber[event]?.({ queryRunner: this });
  }
}

type MovedRow = Parameters<typeof toMessage>[0] & { channel: string | null; epoch: string };
