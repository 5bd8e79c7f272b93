import { presenceLocks } from '../log/node-link.js';
import { waiting } from './intake-statements.js';
import { admitting, unpaced } from './pace-statements.js';

/** What does items is locked before what has items, by everybody. */
const itemsLast = `o.kind = 'band'`;

/** $1 operation, $2 its token. */
export const holds = `select from sync_operation where id = $1 and lease_token = $2 for update`;

/**
 * $1 operation, $2 files, $3 the operations that do the work. What was added before the worker was lost is there already; an operation
 * that came further than that is none that ends its workers, or not here.
 */
export const addItems = `
  with added as (
    insert into sync_item (operation_id, file_id, by_operation)
    select $1::uuid, file_id, by_operation from unnest($2::text[], $3::uuid[]) as given (file_id, by_operation)
    on conflict do nothing
    returning 1)
  update sync_operation set losses = 0 where id = $1 and losses > 0 and exists (select from added)`;

/** $1 operations. Those that wait are not claimed before commit. */
export const holdWaiting = `select from sync_operation where id = any($1) and ${waiting} order by id for share`;

/** $1 operations. @returns those that do not wait, together what stands alike */
export const begun = `
  select array_agg(id) as ids, status, error_code as code, error_message as message
  from sync_operation where id = any($1) and not ${waiting} group by status, error_code, error_message`;

const progress = `id, kind, band_id as "bandId", mode, status, items_total as total, items_done as done, items_failed as failed`;

/** $1 operation, $2 its token. Items that ended meanwhile were counted as they did. */
export const spread = `
  with let_go as (
    update sync_operation o
    set items_total = items.many, lease_token = null, lease_until = null, prepared_at = clock_timestamp(),
        status = case when o.items_done >= items.many then 'completed' else 'running' end,
        finished_at = case when o.items_done >= items.many then clock_timestamp() end
    from (select count(*)::int as many from sync_item where operation_id = $1) as items
    where id = $1 and lease_token = $2
    returning o.*)
  select ${progress} from let_go`;

/** Of a file that somebody works on, nothing is due. */
const due = `
  ${waiting} and run_at <= statement_timestamp()
  and not exists (select from sync_operation held where held.ordering_key = o.ordering_key and held.lease_token is not null)`;

/**
 * Claims what `due` lists and its bands let begin: $3 node, $4 token, $5 length of the lease, $6 worker.
 * @param admitted a query for these
 * @returns those claimed, and for each that its band keeps waiting a row of nothing but `kept_band`
 */
const claiming = (admitted: string): string => `
  ${admitted},
  claimed as (
  update sync_operation o
  set status = 'running', attempts = attempts + 1, node = $3, lease_token = $4, worker = $6,
      started_at = clock_timestamp(), lease_until = clock_timestamp() + $5 * interval '1 millisecond',
      prepared_at = null, error_code = null, error_message = null, error_remedy = null
  from admitted where o.id = admitted.id
  returning o.*)
  select case when claimed.id is null then due.band_id end as kept_band, claimed.*
  from due left join claimed on claimed.id = due.id
  order by due.priority, due.run_at`;

/**
 * Of each of $1, priorities, the first that are due: the index has them by priority and age. @param many of each at most
 */
const firstOfEach = (many: string): string => `
  unnest($1::smallint[]) as given (priority)
  cross join lateral (
    select o.id, o.band_id, o.priority, o.run_at from sync_operation o where o.priority = given.priority and ${due}
    order by o.run_at limit ${many} for update skip locked) as first`;

const oldest = (many: string): string => `
  select * from (select first.* from ${firstOfEach(many)} order by first.run_at limit ${many}) as oldest union`;

/**
 * $1 priorities, in this order, $2 how many. A priority that has enough leaves the later ones unread.
 * @param isPaced also of bands that are limited: $7 is how many of a band may begin in a minute where its settings do not say
 * @param withOldest beside these, the last parameter says how many that have been due for longest: it takes a quarter longer to plan
 */
export const claim = (isPaced: boolean, withOldest: boolean): string => `
  with due as materialized (
    ${withOldest ? oldest(isPaced ? '$8' : '$7') : ''}
    select * from (select first.* from ${firstOfEach('$2')} limit $2) as first
  ), ${claiming(isPaced ? admitting('$7') : unpaced)}`;

/**
 * $1 operations, $2 tokens, $3 length of the lease. What is being completed is locked, and left alone. @returns those whose token is
 * another by now
 */
export const renew = `
  with given as (select * from unnest($1::uuid[], $2::uuid[]) as given (id, token)),
  held as (
    select o.id from sync_operation o join given on o.id = given.id and o.lease_token = given.token
    order by o.id for update of o skip locked
  ), renewed as (
    update sync_operation o set lease_until = clock_timestamp() + $3 * interval '1 millisecond' from held where o.id = held.id
  )
  select given.id from given left join sync_operation o on o.id = given.id and o.lease_token = given.token where o.id is null`;

const isLast = `o.status = 'running' and o.lease_token is null and o.items_done + many >= o.items_total`;

/**
 * Ends the items that operations did, and those operations of which they were the last. These are locked before their items, as by whoever
 * cancels one of them: so nobody waits for another who waits for them. @param by a query for the ids of those that did them
 * @param status what became of the items; $2 and $3 are the error
 */
const endingItems = (by: string, status: string, [code, message]: [string, string]): string => `
  mine as materialized (
    select operation_id, file_id from sync_item where by_operation in (${by}) and status = 'waiting'
  ), locked as (
    select o.id from sync_operation o where o.id in (select operation_id from mine) order by o.id for update of o
  ), ended as (
    update sync_item i
    set status = ${status}, error_code = ${code}, error_message = ${message}, finished_at = clock_timestamp()
    from mine join locked on locked.id = mine.operation_id
    where i.operation_id = mine.operation_id and i.file_id = mine.file_id and i.status = 'waiting'
    returning i.operation_id
  ), counted as (
    select operation_id, count(*)::int as many from ended group by operation_id
  ), told as (
    update sync_operation o
    set items_done = o.items_done + many, items_failed = o.items_failed + case when ${status} = 'completed' then 0 else many end,
        status = case when ${isLast} then 'completed' else o.status end,
        finished_at = case when ${isLast} then clock_timestamp() else o.finished_at end
    from counted where o.id = counted.operation_id
    returning o.*)`;

const hasItems = `exists (select from sync_item i where i.by_operation = o.id and i.status = 'waiting')`;

const completing = (which: string): string => `
  held as (
    select o.id, given.token, given.prepared_ms
    from sync_operation o
    join unnest($1::uuid[], $2::uuid[], $3::float8[]) as given (id, token, prepared_ms)
      on o.id = given.id and o.lease_token = given.token
    where ${which}
    order by ${itemsLast}, o.id for update of o
  ), done as (
    update sync_operation o
    set status = 'completed', lease_token = null, lease_until = null, finished_at = clock_timestamp(),
        prepared_at = started_at + held.prepared_ms * interval '1 millisecond'
    from held where o.id = held.id
    returning o.*, held.token
  )`;

/**
 * $1 operations, of which those are meant that did no items, $2 tokens, $3 how long the questions took. Locked in one order, so that two who complete never wait for
 * each other. None of them has items: of those these are ended by them. @returns those that are completed, with the token by which each was held
 */
export const complete = `with ${completing(`not ${hasItems}`)} select token, ${progress} from done`;

/** The same of those that did items, @returns also how the operations stand whose items these are. It takes three times as long to plan. */
export const completeWithItems = `
  with ${completing('true')}, ${endingItems('select id from done', `'completed'`, ['null', 'null'])}
  select token, ${progress} from done union all select null, ${progress} from told`;

/** $1 operations that did their items, $2 what became of these, $3 and $4 the error. @returns how the operations with these items stand */
export const endItems = `
  with ${endingItems('select unnest($1::uuid[])', '$2', ['$3', '$4'])}
  select ${progress} from told`;

/** $1 operations that were cancelled since newer ones, $2, do the work. Locked in the order of {@link cancelItems}. */
export const handItems = `
  with mine as (
    select i.operation_id, i.file_id, given.newer
    from sync_item i join unnest($1::uuid[], $2::uuid[]) as given (id, newer) on i.by_operation = given.id
    where i.status = 'waiting'
    order by i.operation_id, i.file_id for update of i
  )
  update sync_item i set by_operation = mine.newer
  from mine where i.operation_id = mine.operation_id and i.file_id = mine.file_id`;

/**
 * Ends claims without success. The newer one that waits inherits what an operation was for, its losses, and its place, or the time
 * that it has to wait since it was lost.
 * @param held a query for the operations, locked in one order, with `losses`, `attempts`, the error as they are to be, and in
 * how many ms they are due: 0 for where they were in the line, null for the dead
 */
const settling = (held: string): string => `
  with held as (${held}
    order by ${itemsLast}, o.id for update of o
  ), newer as (
    update sync_operation o
    set priority = least(o.priority, held.priority), parent_id = null, mode = case when held.mode = 'full' then 'full' else o.mode end,
        losses = greatest(o.losses, held.losses),
        run_at = case when due_in_ms = 0 then least(o.run_at, held.run_at)
                      when is_lost then greatest(o.run_at, clock_timestamp() + due_in_ms * interval '1 millisecond')
                      else o.run_at end
    from held where o.ordering_key = held.ordering_key and o.${waiting} and due_in_ms is not null
    returning o.id, o.ordering_key
  ), settled as (
    update sync_operation o
    set status = case when due_in_ms is null then 'dead' when newer.id is not null then 'cancelled' when code is null then 'pending' else 'failed' end,
        finished_at = case when due_in_ms is null or newer.id is not null then clock_timestamp() end,
        error_code = code, error_message = message, error_remedy = remedy, lease_token = null, lease_until = null,
        attempts = held.attempts, losses = held.losses,
        run_at = case when due_in_ms > 0 then clock_timestamp() + due_in_ms * interval '1 millisecond' else o.run_at end
    from held left join newer on newer.ordering_key = held.ordering_key
    where o.id = held.id
    returning o.id, o.status, newer.id as newer)
  select * from settled`;

const claims = `sync_operation o join unnest($1::uuid[], $2::uuid[]) as given (id, token) on o.id = given.id and o.lease_token = given.token`;

/** $1 operations, $2 tokens, $3 in how many ms they are due, $4 code, null for one that has not begun, $5 message, $6 remedy, $7 whether the attempt counts not. */
export const settle = settling(`
    select o.id, o.ordering_key, o.priority, o.run_at, o.mode, o.losses, o.attempts - case when $7 then 1 else 0 end as attempts,
           $3::float8 as due_in_ms, false as is_lost, $4::text as code, $5::text as message, $6::text as remedy
    from ${claims}`);

/**
 * $1 operations, $2 tokens, $3 losses of which the last is death, $4 how many ms the second costs, each further one twice as many, give or take
 * a half; $5 to $7 the error, $8 to $10 that of the dead. A loss is no attempt.
 */
export const settleLost = settling(`
    select o.id, o.ordering_key, o.priority, o.run_at, o.mode, o.losses + 1 as losses, o.attempts - 1 as attempts,
           case when is_last then null when o.losses = 0 then 0 else $4::float8 * 2 ^ (o.losses - 1) * (0.5 + random()) end as due_in_ms,
           true as is_lost, code, message, remedy
    from ${claims}
    join (values (false, $5, $6, $7), (true, $8, $9, $10)) as error (is_last, code, message, remedy) on is_last = (o.losses + 1 >= $3::int)`);

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

/** $1 operation. */
export const cancel = `
  with ended as (
    update sync_operation
    set status = 'cancelled', finished_at = clock_timestamp(), lease_token = null, lease_until = null,
        error_code = 'cancelled', error_message = 'Somebody cancelled it.', error_remedy = null
    where id = $1 and status in ('pending', 'failed', 'running')
    returning id)
  select id from ended`;

/**
 * $1 operation. Of those that wait for it and nothing else: an event that one took on is not told again. One that is locked is being joined or claimed, and goes on; to wait for it
 * here could be to wait for who waits for this.
 */
export const cancelForItems = `
  with alone as (
    select id from sync_operation child
    where parent_id = $1 and ${waiting} and not exists (select from sync_inbox where operation_id = child.id)
    for update skip locked
  ), ended as (
    update sync_operation child
    set status = 'cancelled', finished_at = clock_timestamp(),
        error_code = 'cancelled', error_message = 'Somebody cancelled it.', error_remedy = null
    from alone where child.id = alone.id
    returning child.id)
  select id from ended`;

/** $1 operation: its items that others work on are not its own any more. */
export const cancelItems = `
  with mine as (
    select operation_id, file_id from sync_item where operation_id = $1 and status = 'waiting' order by operation_id, file_id for update
  )
  update sync_item i
  set status = 'cancelled', error_code = 'cancelled', error_message = 'Somebody cancelled it.', finished_at = clock_timestamp()
  from mine where i.operation_id = mine.operation_id and i.file_id = mine.file_id`;

/** $1 operation. */
export const discard = `
  with ended as (update sync_operation set status = 'cancelled', finished_at = clock_timestamp() where id = $1 and status = 'dead' returning id)
  select id from ended`;

/** $1 days, $2 how many of each at most. Two who prune take different ones. */
export const prune = `
  with old as (
    select id from sync_operation
    where finished_at < clock_timestamp() - $1 * interval '1 day' and status in ('completed', 'cancelled')
    order by finished_at limit $2 for update skip locked
  ), gone as (delete from sync_operation o using old where o.id = old.id returning o.id),
  forgotten as (
    delete from sync_inbox where event_id in (
      select event_id from sync_inbox where received_at < clock_timestamp() - $1 * interval '1 day' order by received_at limit $2
      for update skip locked)
    returning 1)
  select (select count(*) from gone)::int + (select count(*) from forgotten)::int as pruned`;
