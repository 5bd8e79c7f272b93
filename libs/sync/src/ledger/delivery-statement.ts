import { isConnected, isOnRoster } from './roster.js';

/**
 * What the devices of some people know and have of one message; of what one was told to forget, it has nothing. Every lookup is by primary or unique key, one run for
 * each device however many there are: 100 devices with 30 days of runs take some milliseconds.
 */
export const devicesOf = `
  select d.user_id as "userId", d.device_id as "deviceId", d.name, ${isConnected} as "isConnected",
         d.last_seen_at as "lastSeenAt", run.acknowledged_at as "knowsSince",
         case when run.acknowledged_at is not null then h.since end as "hasSince"
  from unnest($1::text[]) as member (user_id)
  join sync_device d using (user_id)
  left join sync_reader r on r.device = d.id and r.channel = $2
  left join lateral (
    select acknowledged_at from sync_receipt c where c.reader = r.id and c.up_to >= $3 order by c.up_to limit 1) run on true
  left join sync_holding h on h.device = d.id and h.channel = $2 and h.key = $4 and h.hash = $5
  where ${isOnRoster}
  order by d.user_id, d.first_seen_at, d.id`;
