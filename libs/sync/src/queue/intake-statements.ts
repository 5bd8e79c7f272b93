/** What is in the queue, and joined by news. */
export const waiting = `status in ('pending', 'failed')`;

/** $1 ordering keys. Sorted, so that two who lock several never wait for each other. */
export const lockKeys = `
  select pg_advisory_xact_lock(hash)
  from (select distinct hashtextextended(key, 0) as hash from unnest($1::text[]) as given (key) order by hash) as sorted`;

/** $1 operations, one of each key, sorted by it, $2 the events that they follow from, both JSON. */
export const enqueue = `
  select ordering_key as "orderingKey", event_id as "eventId", operation_id as id, is_new as "isNew" from sync_enqueue($1, $2)`;

/**
 * $1 ordering keys, $2 bands, $3 priorities of looks, $4 how long ago the last one may be, in ms; null for the bands' intervals, by default $5. A a look has ended with its questions, while
 * its items may go on for long; one that came to no answer counts by its end. @returns the keys of those that are due, and the dead
 * look that is tried again in place of a new one, so that a drive that is away for days leaves one and not hundreds; not one that may end workers.
 */
export const dueLooks = `
  select given.key as "orderingKey", dead.id as "deadId"
  from unnest($1::text[], $2::text[], $3::smallint[]) as given (key, band_id, priority)
  left join sync_band_setting chosen on chosen.band_id = given.band_id
  left join lateral (
    select o.id from sync_operation o
    where o.band_id = given.band_id and o.status = 'dead' and o.ordering_key = given.key and o.error_code <> 'lost_too_often'
    order by o.finished_at desc limit 1) as dead on true
  where not exists (
    select from sync_operation o
    where o.band_id = given.band_id and o.kind = 'band'
      and coalesce(o.prepared_at, o.finished_at) > clock_timestamp() - coalesce($4::float8, chosen.interval_seconds * 1000, $5::float8) * interval '1 millisecond')
  and not exists (select from sync_operation o where o.ordering_key = given.key and o.lease_token is not null)
  and not exists (
    select from sync_operation o where o.ordering_key = given.key and o.${waiting} and o.priority <= given.priority)`;

/** $1 operation. */
export const keyOf = `select ordering_key as "orderingKey" from sync_operation where id = $1`;

export const deadKey = `${keyOf} and status = 'dead'`;

/** $1 operation, $2 its ordering key. One that waits is tried for this one as well. */
export const retry = `
  with newer as (
    update sync_operation o set parent_id = null, mode = case when dead.mode = 'full' then 'full' else o.mode end
    from sync_operation dead where dead.id = $1 and dead.status = 'dead' and o.ordering_key = $2 and o.${waiting}
    returning o.id
  ), again as (
    update sync_operation o
    set status = case when newer.id is not null then 'cancelled' else 'pending' end, attempts = 0, losses = 0, run_at = clock_timestamp(),
        error_code = null, error_message = null, error_remedy = null,
        finished_at = case when newer.id is not null then clock_timestamp() end
    from (select) always left join newer on true
    where o.id = $1 and o.status = 'dead'
    returning o.id)
  select id from again`;
