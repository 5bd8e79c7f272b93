import { devicesPerUser, isOnRoster, rememberedSince } from './roster.js';

/** Takes devices from the roster, with all they had. @param which SQL for their ids */
const removing = (which: string): string => `
  with gone as (
    delete from sync_device where id in (${which}) returning id
  ), readers as (
    delete from sync_reader r using gone where r.device = gone.id returning r.id
  ), receipts as (
    delete from sync_receipt c using readers where c.reader = readers.id
  )
  delete from sync_holding h using gone where h.device = gone.id`;

export const removeDevices = removing('select unnest($1::bigint[])');

/** One that comes back in this moment is left alone. */
export const removeUnseenDevices = removing(`select id from sync_device d where not (${isOnRoster}) for update skip locked`);

/** However many names a client makes up for itself, a user has so many devices. */
export const removeSurplusDevices = removing(`
  select id from (
    select id, row_number() over (partition by user_id order by last_seen_at desc) as nth from sync_device) d
  where nth > ${devicesPerUser}`);

/**
 * Of each reader the runs older than the ledger remembers become one, which ends where the newest of them did. It says
 * of its messages "at the latest then". Reads only what it removes and one row more of each reader.
 */
export const mergeOldRuns = `
  delete from sync_receipt old
  using sync_reader r
  left join lateral (
    select up_to from sync_receipt c
    where c.reader = r.id and c.acknowledged_at >= ${rememberedSince}
    order by c.up_to limit 1
  ) kept on true
  cross join lateral (
    select max(up_to) as up_to from sync_receipt c
    where c.reader = r.id and (kept.up_to is null or c.up_to < kept.up_to)
  ) newest
  where old.reader = r.id and old.up_to < newest.up_to`;
