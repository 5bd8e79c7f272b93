import { waiting } from './intake-statements.js';

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

/** How an operation with items stands. */
export const progress = `id, kind, band_id as "bandId", mode, status, items_total as total, items_done as done, items_failed as failed`;

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

const isLast = `o.status = 'running' and o.lease_token is null and o.items_done + many >= o.items_total`;

/**
 * Ends the items that operations did, and those operations of which they were the last. These are locked before their items, as by whoever
 * cancels one of them: so nobody waits for another who waits for them. @param by a query for the ids of those that did them
 * @param status what became of the items; $2 and $3 are the error
 */
export const endingItems = (by: string, status: string, [code, message]: [string, string]): string => `
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
