import { waiting } from './intake-statements.js';
import { endingItems, progress } from './item-statements.js';

/** What does items is locked before what has items, by everybody. */
const itemsLast = `o.kind = 'band'`;

const hasItems = `exists (select from sync_item i where i.by_operation = o.id and i.status = 'waiting')`;

const completing = (which: string): string => `
  held as (
    select o.id, given.token, given.prepared_ms
    from sync_operation o
    join unnest($1::uuid[], $2::uuid[], $3::float8[]) as given (id, token, prepared_ms)
      on o.id = given.id and o.lease_token = given.token
    order by ${itemsLast}, o.id for update of o
  ), done as (
    update sync_operation o
    set status = 'completed', lease_token = null, lease_until = null, finished_at = clock_timestamp(),
        prepared_at = started_at + held.prepared_ms * interval '1 millisecond'
    from held where o.id = held.id and ${which}
    returning o.*, held.token
  )`;

/**
 * $1 operations, of which those are meant that did no items, $2 tokens, $3 how long the questions took. All are locked, in one order, so that
 * nobody who locks several of them waits for who waits for them. None of them has items: of those these are ended by them.
 * @returns those that are completed, with the token by which each was held
 */
export const complete = `with ${completing(`not ${hasItems}`)} select token, ${progress} from done`;

/** The same of those that did items, @returns also how the operations stand whose items these are. It takes three times as long to plan. */
export const completeWithItems = `
  with ${completing('true')}, ${endingItems('select id from done', `'completed'`, ['null', 'null'])}
  select token, ${progress} from done union all select null, ${progress} from told`;

/**
 * Ends claims without success. The newer one that waits inherits what an operation was for, its losses, and its place, or the time
 * that it has to wait since it was lost.
 * @param held a query for the operations, locked in one order, with `losses`, `attempts`, the error as they are to be, and in
 * how many ms they are due: 0 for where they were in the line, null for the dead
 */
export const settling = (held: string): string => `
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

/** $1 operations, $2 tokens: those that are still held so. */
export const stillHeld = `sync_operation o join unnest($1::uuid[], $2::uuid[]) as given (id, token) on o.id = given.id and o.lease_token = given.token`;

/** $1 operations, $2 tokens, $3 in how many ms they are due, $4 code, null for one that has not begun, $5 message, $6 remedy, $7 whether the attempt counts not. */
export const settle = settling(`
    select o.id, o.ordering_key, o.priority, o.run_at, o.mode, o.losses, o.attempts - case when $7 then 1 else 0 end as attempts,
           $3::float8 as due_in_ms, false as is_lost, $4::text as code, $5::text as message, $6::text as remedy
    from ${stillHeld}`);
