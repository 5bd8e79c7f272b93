import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { SyncOperation, priorities, type OperationKind, type Priority } from '../entities/sync-operation.js';

export interface NewOperation {
  kind: OperationKind;
  priority: Priority;
  orderingKey: string;
  cause: string;
  bandId?: string | null;
  fileId?: string | null;
  userId?: string | null;
  mode?: 'delta' | 'full' | null;
  parentId?: string | null;
  /** The fact this follows from. One already taken on is not taken on again. */
  eventId?: string;
}

/** A running operation in the hands of the worker that claimed it. */
export interface Claim {
  operation: SyncOperation;
  token: string;
}

/** The queue's SQL. One method, one statement or one transaction. */
export class OperationQueue {
  constructor(
    private readonly database: DataSource,
    private readonly node: string,
    private readonly leaseMs: number,
  ) {}

  /**
   * Stores an operation, or joins the one that waits under the same ordering key, which then keeps the higher priority
   * and runs as soon as it can, with all its attempts before it: the news may be what mends it. An operation that is running does not count: what it read may be older than this news.
   * @returns the operation's id; the earlier one's for an event that was taken on before
   */
  async enqueue(wanted: NewOperation, transaction?: EntityManager): Promise<string> {
    if (!transaction) return this.database.transaction((own) => this.enqueue(wanted, own));
    await lockKey(transaction, wanted.orderingKey);
    if (wanted.eventId !== undefined) {
      const known = await transaction.query<{ id: string }[]>(
        `select operation_id as id from sync_inbox where event_id = $1`,
        [wanted.eventId],
      );
      if (known[0]) return known[0].id;
    }
    // Joining locks the waiting row until commit, so no worker claims it before this news is committed.
    const rows = await transaction.query<{ id: string }[]>(
      `insert into sync_operation as waiting (id, kind, status, priority, ordering_key, band_id, file_id, user_id, mode, cause, parent_id)
       values ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict (ordering_key) where status in ('pending', 'failed')
       do update set status = 'pending', attempts = 0, error_code = null, error_message = null,
                     priority = least(waiting.priority, excluded.priority), run_at = least(waiting.run_at, clock_timestamp()),
                     mode = case when excluded.mode = 'full' then 'full' else waiting.mode end
       returning id`,
      [
        randomUUID(),
        wanted.kind,
        priorities[wanted.priority],
        wanted.orderingKey,
        wanted.bandId ?? null,
        wanted.fileId ?? null,
        wanted.userId ?? null,
        wanted.mode ?? null,
        wanted.cause,
        wanted.parentId ?? null,
      ],
    );
    const id = rows[0]!.id;
    if (wanted.eventId !== undefined) {
      await transaction.query(`insert into sync_inbox (event_id, operation_id) values ($1, $2) on conflict do nothing`, [
        wanted.eventId,
        id,
      ]);
    }
    return id;
  }

  /** Takes up to `limit` operations that are due, by priority, then by age. */
  async claim(limit: number): Promise<Claim[]> {
    const token = randomUUID();
    const rows = await this.database.query<Record<string, unknown>[]>(
      `with due as (
         select id from sync_operation o
         where status in ('pending', 'failed') and run_at <= clock_timestamp()
           and not exists (select from sync_operation r where r.ordering_key = o.ordering_key and r.status = 'running')
         order by priority, run_at
         limit $1
         for update skip locked
       ), claimed as (
         update sync_operation o
         set status = 'running', attempts = attempts + 1, node = $2, lease_token = $3, started_at = clock_timestamp(),
             lease_until = clock_timestamp() + $4 * interval '1 millisecond', error_code = null, error_message = null
         from due where o.id = due.id
         returning o.*)
       select * from claimed order by priority, run_at`,
      [limit, this.node, token, this.leaseMs],
    );
    return rows.map((row) => ({ operation: this.database.getRepository(SyncOperation).create(camelCased(row)), token }));
  }

  /** Extends the leases of exactly the operations held here. */
  async renew(claims: readonly Claim[]): Promise<void> {
    await this.database.query(
      `update sync_operation o set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
       from unnest($1::uuid[], $2::uuid[]) as held (id, token)
       where o.id = held.id and o.lease_token = held.token`,
      [claims.map(({ operation }) => operation.id), claims.map(({ token }) => token), this.leaseMs],
    );
  }

  /**
   * Marks a claimed operation completed, within the transaction that does its work.
   * @throws LeaseLost when another worker has it by now; the transaction must roll back
   */
  async complete({ operation, token }: Claim, transaction: EntityManager): Promise<void> {
    const done = await transaction.query<unknown[]>(
      `with done as (
         update sync_operation set status = 'completed', lease_token = null, lease_until = null, finished_at = clock_timestamp()
         where id = $1 and lease_token = $2 returning 1)
       select * from done`,
      [operation.id, token],
    );
    if (done.length === 0) throw new LeaseLost(operation.id);
  }

  /**
   * Puts a failed operation where it belongs: to wait for `retryInMs`, or among the dead when that is null. Where newer
   * news of the same file waits already, that will do the work, and this one is cancelled.
   */
  async fail(claim: Claim, error: { code: string; message: string }, retryInMs: number | null): Promise<void> {
    await this.database.transaction((transaction) =>
      retryInMs === null
        ? settle(transaction, claim, 'dead', 0, error)
        : settle(transaction, claim, 'failed', retryInMs, error),
    );
  }

  /**
   * Operations whose worker went silent wait again; one that was tried `attempts` times is dead, since it may be what ends workers.
   * @returns how many there were
   */
  async reclaim(attempts: number): Promise<number> {
    const silent = await this.database.query<{ id: string; orderingKey: string; token: string; isLast: boolean }[]>(
      `select id, ordering_key as "orderingKey", lease_token as token, attempts >= $1 as "isLast"
       from sync_operation where status = 'running' and lease_until < clock_timestamp()`,
      [attempts],
    );
    const lost = { code: 'worker_lost', message: 'The process that worked on this went silent, each time it was tried.' };
    for (const { token, isLast, ...operation } of silent) {
      // By its token: one that has come back to life meanwhile and completed is not touched.
      await this.database.transaction((transaction) =>
        isLast
          ? settle(transaction, { operation, token }, 'dead', 0, lost)
          : settle(transaction, { operation, token }, 'pending', 0, null),
      );
    }
    return silent.length;
  }
}

/** Ends a claim without success. */
async function settle(
  transaction: EntityManager,
  { operation, token }: { operation: Pick<SyncOperation, 'id' | 'orderingKey'>; token: string },
  status: 'pending' | 'failed' | 'dead',
  runInMs: number,
  error: { code: string; message: string } | null,
): Promise<void> {
  await lockKey(transaction, operation.orderingKey);
  await transaction.query(
    `update sync_operation o
     set status = case when newer.waits and $3 <> 'dead' then 'cancelled' else $3 end,
         finished_at = case when newer.waits or $3 = 'dead' then clock_timestamp() end,
         error_code = coalesce($5, case when newer.waits then 'superseded' end), error_message = $6,
         lease_token = null, lease_until = null, run_at = clock_timestamp() + $4 * interval '1 millisecond'
     from (select exists (select from sync_operation where ordering_key = $7 and status in ('pending', 'failed')) as waits) newer
     where o.id = $1 and o.lease_token = $2`,
    [operation.id, token, status, runInMs, error?.code ?? null, error?.message ?? null, operation.orderingKey],
  );
}

/** Whoever puts an operation to wait under a key does so alone; else two could meet at the unique index. */
async function lockKey(transaction: EntityManager, orderingKey: string): Promise<void> {
  await transaction.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [orderingKey]);
}

/** This worker's lease ran out and another one has the operation. Nothing it did has taken effect. */
export class LeaseLost extends Error {
  constructor(operationId: string) {
    super(`Operation ${operationId} is in other hands by now`);
    this.name = 'LeaseLost';
  }
}

function camelCased(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}
