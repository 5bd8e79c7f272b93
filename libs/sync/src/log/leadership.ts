import { randomBytes } from 'node:crypto';
import type { QueryRunner } from 'typeorm';

/** An office held: whoever holds a lower term moves nothing any more. */
export interface Office {
  term: number;
  epoch: string;
}

/**
 * Tries to take office. Succeeds when the lease of the present leader has run out, by the database's clock.
 *
 * The predecessor may be stopped with a batch in flight, and its backend would then hold the share lock on the leader's
 * row for ever; so its recorded backend is ended first. Start time and pid together name the backend: a pid is used again.
 */
export async function takeOffice(runner: QueryRunner, node: string, leaseMs: number): Promise<Office | null> {
  await runner.manager.query(
    `select pg_terminate_backend(a.pid)
     from sync_leader l join pg_stat_activity a on a.pid = l.backend_pid and a.backend_start = l.backend_started_at
     where l.lease_until < clock_timestamp() and a.pid <> pg_backend_pid()`,
  );
  const rows = await runner.manager.query<Office[]>(
    `with me as (select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()),
     taken as (
       update sync_leader l
       set term = l.term + 1, epoch = $1, node = $2, backend_pid = me.pid, backend_started_at = me.backend_start,
           lease_until = clock_timestamp() + $3 * interval '1 millisecond'
       from me where l.lease_until < clock_timestamp()
       returning l.term::float8 as term, l.epoch)
     select * from taken`,
    [randomBytes(9).toString('base64url'), node, leaseMs],
  );
  return rows[0] ?? null;
}

/** @returns false when the office was lost */
export async function renewOffice(runner: QueryRunner, office: Office, leaseMs: number): Promise<boolean> {
  const rows = await runner.manager.query<unknown[]>(
    `with renewed as (
       update sync_leader set lease_until = clock_timestamp() + $2 * interval '1 millisecond' where term = $1 returning 1)
     select * from renewed`,
    [office.term, leaseMs],
  );
  return rows.length > 0;
}

/** Lets the next one take office at once. */
export async function leaveOffice(runner: QueryRunner, office: Office): Promise<void> {
  await runner.manager.query(
    `update sync_leader set lease_until = '-infinity', backend_pid = null, backend_started_at = null where term = $1`,
    [office.term],
  );
}
