import { waiting } from './intake-statements.js';

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
