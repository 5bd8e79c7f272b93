import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What enqueues operations: a function, so that four statements, which must see each other's locks, take one round trip, and are planned
 * once for each connection.
 */
export class SyncEnqueue1764000003110 implements MigrationInterface {
  name = 'SyncEnqueue1764000003110';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(enqueue);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function sync_enqueue');
  }
}

/**
 * @param wanted operations, one of each key, in the order of the keys; `is_news` where one of them follows from no event
 * @param events those that the operations follow from, with their keys. What follows from nothing but these, all taken on before, is not stored
 * @returns by ordering key what waits now, by event what took it on before
 *
 * Whoever puts operations to wait under a key does so alone; else two could take on the same event. The next statement sees what was
 * committed while this one waited.
 *
 * Joining locks the waiting row until commit, so no worker claims it before this news is committed. Who joins waits for it too, so it is
 * not its parent's alone any more. One that was lost more than once waits its time out: what was lost together must not come back together
 * because of a full sync.
 *
 * The plan is kept, and made while the inbox may be empty: only by its index it is not read whole when it is large.
 */
const enqueue = `
  create function sync_enqueue(wanted jsonb, events jsonb)
  returns table (ordering_key text, event_id text, operation_id uuid, is_new boolean)
  language plpgsql set enable_seqscan = off as $$
  #variable_conflict use_column
  begin
    perform pg_advisory_xact_lock(hash)
    from (
      select distinct hashtextextended(ordering_key, 0) as hash from jsonb_to_recordset(wanted) as given (ordering_key text) order by hash
    ) as sorted;
    return query
    with told as materialized (
      select event_id, ordering_key, (select operation_id from sync_inbox taken where taken.event_id = given.event_id) as taken_by
      from jsonb_to_recordset(events) as given (event_id text, ordering_key text)
    ), stored as (
      insert into sync_operation as waits
        (id, kind, status, priority, ordering_key, band_id, file_id, user_id, mode, cause, parent_id)
      select id, kind, 'pending', priority, ordering_key, band_id, file_id, user_id, mode, cause, parent_id
      from jsonb_to_recordset(wanted) as given
        (id uuid, kind text, priority smallint, ordering_key text, band_id text, file_id text, user_id text, mode text, cause text,
         parent_id uuid, is_news boolean)
      where is_news or ordering_key in (select ordering_key from told where taken_by is null)
      on conflict (ordering_key) where status in ('pending', 'failed')
      do update set status = 'pending', attempts = 0, error_code = null, error_message = null, error_remedy = null,
                    priority = least(waits.priority, excluded.priority),
                    run_at = case when waits.losses > 1 then waits.run_at else least(waits.run_at, clock_timestamp()) end,
                    mode = case when excluded.mode = 'full' then 'full' else waits.mode end,
                    parent_id = case when waits.parent_id = excluded.parent_id then waits.parent_id end
      returning ordering_key, id, xmax = 0 as is_new
    ), remembered as (
      insert into sync_inbox (event_id, operation_id)
      select event_id, stored.id from told join stored using (ordering_key) where taken_by is null
      on conflict do nothing
    )
    select ordering_key, null::text, id, is_new from stored
    union all
    select null::text, event_id, taken_by, false from told where taken_by is not null;
  end $$`;
