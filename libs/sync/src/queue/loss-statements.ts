import { presenceLocks } from '../log/node-link.js';
import { settling, stillHeld } from './settlement-statements.js';

/**
 * $1 this process, $2 how many at most. Another process is gone when nobody holds its lock; its lease says so too, after a while, and of this
 * process only that: its connection may be the one that is gone.
 */
export const lost = `
  select id, ordering_key as "orderingKey", lease_token as token, kind, band_id as "bandId", file_id as "fileId"
  from sync_operation
  where lease_token is not null
    and (lease_until < clock_timestamp()
      or worker <> $1 and not exists (
        select from pg_locks
        where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
          and classid = ${presenceLocks} and objid::bigint = worker and objsubid = 2 and granted))
  limit $2`;

/**
 * $1 operations, $2 tokens, $3 losses of which the last is death, $4 how many ms the second costs, each further one twice as many, give or take
 * a half; $5 to $7 the error, $8 to $10 that of the dead. A loss is no attempt.
 */
export const settleLost = settling(`
    select o.id, o.ordering_key, o.priority, o.run_at, o.mode, o.losses + 1 as losses, o.attempts - 1 as attempts,
           case when is_last then null when o.losses = 0 then 0 else $4::float8 * 2 ^ (o.losses - 1) * (0.5 + random()) end as due_in_ms,
           true as is_lost, code, message, remedy
    from ${stillHeld}
    join (values (false, $5, $6, $7), (true, $8, $9, $10)) as error (is_last, code, message, remedy) on is_last = (o.losses + 1 >= $3::int)`);
