import type { Message } from '@soleil/sync-protocol';
import type { QueryRunner } from 'typeorm';

/** Consecutive messages of one channel, fresh in the log. */
export interface Batch {
  channel: string;
  epoch: string;
  /** Offset of the first message. */
  from: number;
  /** Offset of the last message; there are no holes between. */
  to: number;
  messages: Message[];
}

/**
 * Moves committed outbox rows into the log and numbers them, in one statement: it either all happened or nothing did.
 *
 * The share lock on the leader's row is the fence. A leader of an older term finds no row and moves nothing; a successor
 * cannot take office (an update of that row) before a batch in flight has ended. Rows are taken because they exist,
 * never because their id is above a cursor: a transaction that commits late would be skipped, or, with a second look now
 * and then, come after a later one about the same entity.
 */
const sql = `
  with office as (
    select epoch from sync_leader where term = $1 for share
  ), picked as (
    select id, message_id, channel, type, key, data, published_at
    from sync_outbox
    where exists (select from office)
    order by id
    limit $2
  ), taken as (
    delete from sync_outbox where id in (select id from picked)
  ), numbered as (
    select picked.*, row_number() over (partition by channel order by id) as nth,
           count(*) over (partition by channel) as many
    from picked
  ), before as (
    select name, epoch from sync_channel where name in (select channel from picked)
  ), heads as (
    insert into sync_channel as c (name, head, epoch)
    select distinct channel, many, office.epoch from numbered, office
    on conflict (name) do update set head = c.head + excluded.head, epoch = excluded.epoch
    returning name, head, epoch
  ), begun as (
    insert into sync_channel_epoch (channel, epoch, began_at)
    select heads.name, heads.epoch, heads.head - counted.many + 1
    from heads
    join (select distinct channel, many from numbered) counted on counted.channel = heads.name
    left join before on before.name = heads.name
    where before.epoch is distinct from heads.epoch
  ), logged as (
    insert into sync_message (channel, "offset", id, type, key, data, published_at)
    select channel, heads.head - many + nth, message_id, type, key, data, published_at
    from numbered join heads on heads.name = numbered.channel
    returning channel, "offset", id, type, key, data, published_at
  )
  select logged.channel, logged."offset"::float8 as "offset", logged.id, logged.type, logged.key, logged.data,
         logged.published_at as at, heads.epoch
  from logged join heads on heads.name = logged.channel
  order by logged.channel, logged."offset"`;

interface Row {
  channel: string;
  offset: number;
  id: string;
  type: string;
  key: string | null;
  data: unknown;
  at: Date;
  epoch: string;
}

/** @returns what was moved, each channel's messages ascending; nothing when `term` is not in office any more */
export async function sequenceBatch(runner: QueryRunner, term: number, limit: number): Promise<Batch[]> {
  const rows = await runner.manager.query<Row[]>(sql, [term, limit]);
  const batches: Batch[] = [];
  for (const row of rows) {
    let batch = batches.at(-1);
    if (batch?.channel !== row.channel) {
      batch = { channel: row.channel, epoch: row.epoch, from: row.offset, to: row.offset, messages: [] };
      batches.push(batch);
    }
    batch.to = row.offset;
    batch.messages.push(toMessage(row));
  }
  return batches;
}

/** A row of the log as the wire has it. */
export function toMessage(row: Pick<Row, 'offset' | 'id' | 'type' | 'key' | 'data' | 'at'>): Message {
  const key = row.key === null ? {} : { key: row.key };
  return { offset: row.offset, id: row.id, type: row.type, ...key, data: row.data, at: row.at.toISOString() };
}
