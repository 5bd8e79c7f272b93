import pg from 'pg';
import type { Body, QueueKind, QueueSide } from './queue-side.js';

/** What somebody writes in an afternoon: a table, a claim with SKIP LOCKED, an update at the end. No lease, no retry, no events. */
export const bareLoop: QueueKind = {
  async fill(databaseUrl, { files, perFile }) {
    const pool = new pg.Pool({ connectionString: databaseUrl });
    await pool.query(`
      drop table if exists bare_job;
      create table bare_job (id bigint generated always as identity primary key, file integer not null, n integer not null,
        priority smallint not null default 2, status text not null default 'pending', created_at timestamptz not null default now());
      create index on bare_job (priority, id) where status = 'pending'`);
    await pool.query(
      'insert into bare_job (file, n) select file, n from generate_series(0, $2::int - 1) n, generate_series(0, $1::int - 1) file',
      [files, perFile],
    );
    await pool.query('vacuum analyze bare_job');
    await pool.end();
  },

  async open(databaseUrl, _jobs, concurrency) {
    return new BareLoop(new pg.Pool({ connectionString: databaseUrl, max: 20 }), concurrency);
  },
};

export class BareLoop implements QueueSide {
  done = 0;
  private running = 0;
  private stopping = false;
  private wake: () => void = () => undefined;
  private loop: Promise<void> = Promise.resolve();

  constructor(
    readonly pool: pg.Pool,
    private readonly concurrency: number,
  ) {}

  async work(body: Body): Promise<void> {
    this.loop = this.run(body);
  }

  async enqueue(file: number, n: number): Promise<void> {
    await this.pool.query('insert into bare_job (file, n) values ($1, $2)', [file, n]);
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.loop;
    await this.pool.end();
  }

  private async run(body: Body): Promise<void> {
    while (!this.stopping) {
      const { rows } = await this.pool.query<{ id: string; file: number; n: number }>(
        `update bare_job set status = 'running' where id in (
           select id from bare_job where status = 'pending' order by priority, id limit $1 for update skip locked)
         returning id, file, n`,
        [this.concurrency - this.running],
      );
      for (const job of rows) void this.one(job, body);
      if (rows.length === 0 || this.running >= this.concurrency) await this.waiting();
    }
  }

  private async one(job: { id: string; file: number; n: number }, body: Body): Promise<void> {
    this.running += 1;
    await body(job.file, job.n);
    await this.pool.query(`update bare_job set status = 'completed' where id = $1`, [job.id]);
    this.running -= 1;
    this.done += 1;
    this.wake();
  }

  private waiting(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 1_000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
