import { isNodeChannel } from './canary-log.js';

/** A node that comes back after longer, stopped and resumed, begins its channel anew. */
const silentAfter = '10 minutes';

/** Held by whoever prunes, until its statement has ended: one node at a time, and no pooler minds. */
const lock = `lock as materialized (
    select pg_try_advisory_xact_lock(hashtextextended('soleil_sync_retention', 0)) as is_free
  )`;

const tooOld = (publishedAt: string, days: string): string =>
  `${publishedAt} < clock_timestamp() - ${days} * interval '1 day'`;

/** Channels after `$1` in which a message has come of age that was not looked at yet. $2 days, $3 at most so many. */
export const channelsDue = `
  select c.name
  from sync_channel c left join sync_retention r on r.channel = c.name
  cross join lateral (
    select m.published_at from sync_message m
    where m.channel = c.name and m."offset" > coalesce(r.horizon, 0)
    order by m."offset" limit 1
  ) next
  where c.name > $1 and ${tooOld('next.published_at', '$2')}
  order by c.name limit $3`;

/**
 * Moves the horizon of channel `$1` over the next `$3` messages, at most, that are older than `$2` days, and prunes what it
 * leaves behind. Reads what came of age and not what stays.
 *
 * `pruned_to` is the last of those that nothing later speaks for: an event, or the end of a key. In the same statement as
 * the deletion, so that no reader sees the one without the other.
 *
 * Each row is reached by an index, one key or offset at a time (`lateral` with a limit, `any (array)`): joins were planned
 * as scans of the whole log, 80 ms a piece where the log had 200,000 messages.
 */
export const pruneMessages = `
  with ${lock}, known as materialized (
    select coalesce((select horizon from sync_retention where channel = $1), 0) as horizon
  ), next as materialized (
    select m."offset", m.key, m.data is null as is_gone, ${tooOld('m.published_at', '$2')} as is_old
    from lock, sync_message m
    where lock.is_free and m.channel = $1 and m."offset" > (select horizon from known)
    order by m."offset" limit $3
  ), aged as materialized (
    select * from next
    where "offset" < coalesce((select min("offset") from next where not is_old), 9223372036854775807)
  ), newest as (
    select distinct on (key) key, "offset", is_gone from aged where key is not null order by key, "offset" desc
  ), superseded as (
    select a."offset" from aged a join newest n using (key) where a."offset" < n."offset"
    union all
    -- Of the state up to the last horizon, there is one message of a key at most.
    select before."offset" from newest n cross join lateral (
      select m."offset" from sync_message m
      where m.channel = $1 and m.key = n.key and m."offset" <= (select horizon from known)
      order by m."offset" desc limit 1) before
  ), ended as (
    select "offset", key from newest where is_gone
    union all
    select "offset", null from aged where key is null
  ), removed as (
    delete from sync_message
    where channel = $1 and "offset" = any (array(select "offset" from superseded union all select "offset" from ended))
  ), lost as (
    select coalesce(max(e."offset"), 0) as "offset"
    from ended e left join lateral (
      select true as is_there from sync_message m
      where m.channel = $1 and m.key = e.key and m."offset" > e."offset"
      order by m."offset" limit 1) later on true
    where later.is_there is null
  ), epochs as (
    delete from sync_channel_epoch e using lost
    where e.channel = $1 and exists (
      select from sync_channel_epoch later
      where later.channel = $1 and later.began_at > e.began_at and later.began_at <= lost."offset")
  ), noted as (
    insert into sync_retention as r (channel, horizon, pruned_to)
    select $1, max(aged."offset"), max(lost."offset") from aged, lost having count(*) > 0
    on conflict (channel) do update
    set horizon = greatest(r.horizon, excluded.horizon), pruned_to = greatest(r.pruned_to, excluded.pruned_to)
  )
  select is_free as "isFree", (select count(*) from aged)::integer as done from lock`;

/** Forgets the channels of nodes that have sent nothing to themselves for a while, and so are gone. */
export const pruneNodes = `
  with ${lock}, silent as (
    select c.name from lock, sync_channel c
    where lock.is_free and ${isNodeChannel('c.name')} and not exists (
      select from sync_message m
      where m.channel = c.name and m."offset" = c.head and m.published_at > clock_timestamp() - interval '${silentAfter}')
    limit $1
  ), messages as (
    delete from sync_message where channel = any (array(select name from silent))
  ), epochs as (
    delete from sync_channel_epoch where channel = any (array(select name from silent))
  ), horizons as (
    delete from sync_retention where channel = any (array(select name from silent))
  ), removed as (
    delete from sync_channel where name = any (array(select name from silent)) returning 1
  )
  select is_free as "isFree", (select count(*) from removed)::integer as done from lock`;

/** Forgets `$2` idempotency keys, at most, that are older than `$1` days. */
export const pruneIdempotencyKeys = `
  with ${lock}, aged as (
    select i.ctid as place from lock, sync_idempotency i
    where lock.is_free and ${tooOld('i.published_at', '$1')}
    order by i.published_at limit $2
  ), removed as (
    delete from sync_idempotency where ctid = any (array(select place from aged)) returning 1
  )
  select is_free as "isFree", (select count(*) from removed)::integer as done from lock`;
