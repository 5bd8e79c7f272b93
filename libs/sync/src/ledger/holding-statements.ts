/**
 * The statements that store which files devices have. A file that is reported again has been there since it was first
 * reported; one that the log never told of in that channel is none.
 */
export const putHoldings = `
  insert into sync_holding as h (device, channel, key, hash, since)
  select given.device, given.channel, given.key, given.hash, statement_timestamp() - given.age_ms * interval '1 millisecond'
  from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::float8[]) as given (device, channel, key, hash, age_ms)
  where exists (select from sync_message m where m.channel = given.channel and m.key = given.key)
  on conflict (device, channel, key) do update set hash = excluded.hash, since = excluded.since
  where h.hash <> excluded.hash`;

export const dropHoldings = `
  delete from sync_holding h
  using unnest($1::bigint[], $2::text[], $3::text[]) as given (device, channel, key)
  where h.device = given.device and h.channel = given.channel and h.key = given.key`;
