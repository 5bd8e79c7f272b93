/**
 * The statements that store receipts, each for many devices at once. They run in this order in one transaction, each with
 * a snapshot of its own: what another node stored before it let go of a device's row is seen.
 */

/** First of all, and always in this order: two nodes that write about the same devices wait for each other, never both ways. */
export const lockDevices = `
  select d.id, d.user_id, d.device_id, d.connection
  from unnest($1::text[], $2::text[]) as given (user_id, device_id)
  join sync_device d using (user_id, device_id)
  order by d.user_id, d.device_id
  for no key update of d`;

export const readClock = `select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;

/**
 * A node whose connection is not the device's latest changes nothing, while that lasts: a device that tried one node, gave it up and came to
 * another may be let in by the first one later, and outlives that. One that began in the future did so before the database's clock was set back.
 */
export const noteDevices = `
  insert into sync_device as d
    (user_id, device_id, name, durable, connection, connected_at, connected, first_seen_at, last_seen_at)
  select user_id, device_id, name, durable, connection, least(to_timestamp(connected_at_ms / 1000), statement_timestamp()), connected,
         least(to_timestamp(connected_at_ms / 1000), statement_timestamp()),
         statement_timestamp() - unseen_ms * interval '1 millisecond'
  from unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::uuid[], $6::float8[], $7::boolean[], $8::float8[])
    as given (user_id, device_id, name, durable, connection, connected_at_ms, connected, unseen_ms)
  order by user_id, device_id
  on conflict (user_id, device_id) do update
  set name = excluded.name, durable = excluded.durable, connection = excluded.connection, connected_at = excluded.connected_at,
      connected = excluded.connected, last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at)
  where d.connection = excluded.connection or d.connected_at < excluded.connected_at or d.connected_at > statement_timestamp()
    or excluded.connected and not d.connected
  returning d.id, d.user_id, d.device_id, d.connection`;

/** Looked up first: an insert that meets a conflict would use up an id. */
export const insertReaders = `
  insert into sync_reader (device, channel)
  select device, channel from unnest($1::bigint[], $2::text[]) as given (device, channel)
  where not exists (select from sync_reader r where r.device = given.device and r.channel = given.channel)
  on conflict do nothing`;

/** The run that a device has lost in part ends where the device stands. */
export const shortenRuns = `
  update sync_receipt cut set up_to = given.floor
  from unnest($1::bigint[], $2::text[], $3::bigint[]) as given (device, channel, floor)
  join sync_reader r using (device, channel)
  cross join lateral (
    select up_to from sync_receipt c where c.reader = r.id and c.up_to > given.floor order by c.up_to limit 1) first
  where cut.reader = r.id and cut.up_to = first.up_to and given.floor > 0
    and not exists (select from sync_receipt e where e.reader = r.id and e.up_to = given.floor)`;

/** And those beyond it are void. */
export const truncateRuns = `
  delete from sync_receipt void
  using unnest($1::bigint[], $2::text[], $3::bigint[]) as given (device, channel, floor)
  join sync_reader r using (device, channel)
  where void.reader = r.id and void.up_to > given.floor`;

/** A run, where the device has acknowledged more than it had. */
export const appendRuns = `
  insert into sync_receipt (reader, up_to, acknowledged_at)
  select r.id, given.up_to, statement_timestamp() - given.age_ms * interval '1 millisecond'
  from unnest($1::bigint[], $2::text[], $3::bigint[], $4::float8[]) as given (device, channel, up_to, age_ms)
  join sync_reader r using (device, channel)
  where given.up_to > coalesce((select max(up_to) from sync_receipt c where c.reader = r.id), 0)`;
