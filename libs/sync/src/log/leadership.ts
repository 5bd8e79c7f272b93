import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { LeaderConnection } from './leader-connection.js';

/**
 * An office held: as long as the leader's row has its epoch and the log has its last message. An epoch is random, so no
 * other time in office has the same one, whatever backup the database came from; and a backup of the same time in office
 * from which nothing is missing does no harm.
 */
export interface Office {
  term: number;
  epoch: string;
  /** What was moved last in this office. */
  last: { channel: string; offset: number; id: string } | null;
}

const logger = new Logger('Sequencer');

/**
 * Tries to take office. Succeeds when it is vacant: when the lease of the present leader has run out, by the database's
 * clock, or its backend is gone.
 *
 * The predecessor may be stopped with a batch in flight, whose lock on the leader's row would keep the office closed; so
 * its recorded backend is ended first. Start time and pid together name the backend: a pid is used again.
 */
export async function takeOffice(connection: LeaderConnection, node: string, leaseMs: number): Promise<Office | null> {
  // Asked first, and not only by `take`: that would wait for the lock of one whose lease ran out after `endPredecessor`.
  if ((await connection.query(seeVacancy, [])).length === 0) return null;
  try {
    await connection.query(endPredecessor, []);
  } catch (error) {
    if ((error as { code?: unknown }).code !== insufficientPrivilege) throw error;
    logger.warn(`The last leader's connection is left to time out: ${(error as Error).message}`);
  }
  const [taken] = await connection.query<Omit<Office, 'last'>>(take, [randomBytes(9).toString('base64url'), node, leaseMs]);
  return taken ? { ...taken, last: null } : null;
}

/** @returns false when the office was lost */
export async function renewOffice(connection: LeaderConnection, office: Office, leaseMs: number): Promise<boolean> {
  return (await connection.query(renew, [leaseMs, office.epoch, ...lastOf(office)])).length > 0;
}

/** Lets the next one take office at once. */
export async function leaveOffice(connection: LeaderConnection, { epoch }: Office): Promise<void> {
  await connection.query(leave, [epoch]);
}

/** SQL, of `sync_leader`: whether the office with this epoch and this last message is held. */
export function isHeld(epoch: string, channel: string, offset: string, id: string): string {
  return `epoch = ${epoch} and (${channel}::text is null or exists (
    select from sync_message where channel = ${channel} and "offset" = ${offset}::bigint and id = ${id}::uuid))`;
}

/** The values of its last three. */
export function lastOf({ last }: Office): unknown[] {
  return [last?.channel, last?.offset, last?.id];
}

const insufficientPrivilege = '42501';

// Another role's start time is not shown to everybody: then the pid alone has to do.
const isVacant = `(l.lease_until < clock_timestamp() or not exists (
  select from pg_stat_activity a where a.pid = l.backend_pid and coalesce(a.backend_start = l.backend_started_at, true)))`;

const seeVacancy = { name: 'sync_see_vacancy', text: `select from sync_leader l where ${isVacant}` };

const endPredecessor = {
  name: 'sync_end_predecessor',
  text: `
    select pg_terminate_backend(a.pid)
    from sync_leader l join pg_stat_activity a on a.pid = l.backend_pid and a.backend_start = l.backend_started_at
    where ${isVacant} and a.pid <> pg_backend_pid()`,
};

const take = {
  name: 'sync_take_office',
  text: `
    with me as (select pid, backend_start from pg_stat_activity where pid = pg_backend_pid())
    update sync_leader l
    set term = l.term + 1, epoch = $1, node = $2, backend_pid = me.pid, backend_started_at = me.backend_start,
        lease_until = clock_timestamp() + $3::float8 * interval '1 millisecond'
    from me
    where ${isVacant}
    returning l.term::float8 as term, l.epoch`,
};

const renew = {
  name: 'sync_renew_office',
  text: `
    update sync_leader set lease_until = clock_timestamp() + $1::float8 * interval '1 millisecond'
    where ${isHeld('$2', '$3', '$4', '$5')} returning 1`,
};

const leave = {
  name: 'sync_leave_office',
  text: `
    update sync_leader set lease_until = '-infinity', backend_pid = null, backend_started_at = null where epoch = $1`,
};
