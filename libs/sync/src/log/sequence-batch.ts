import type { Message } from '@soleil/sync-protocol';
import { isControlRow } from './control-message.js';
import type { LeaderConnection } from './leader-connection.js';
import { isHeld, lastOf, type Office } from './leadership.js';
import type { IdRange, Look } from './outbox-scan.js';

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

export interface BatchLimits {
  /** Messages, at most. */
  messages: number;
  /** Bytes of their data, at most, but for a single message that is larger. */
  bytes: number;
}

/** What one statement moved: each channel's messages ascending, and what it tells of the outbox. */
export interface Sequenced {
  batches: Batch[];
  look: Look;
}

/**
 * Moves committed outbox rows into the log and numbers them, in one statement: it either all happened or nothing did. The
 * rows with the lowest ids go first, which is the order of the commits where that matters: a transaction that locked what
 * it writes about drew its ids after the one before it had committed.
 *
 * Control messages go before all others: what commits after a right was taken away may have drawn its ids before.
 *
 * The share lock on the leader's row is the fence. A leader of another epoch finds no row and moves nothing; nor does one
 * whose last message is not in the log: then a backup was restored under it. A successor cannot take office (an update of
 * that row) before a batch in flight has ended.
 *
 * @param ranges where to look, ascending and disjoint
 * @returns null when the office was lost: nothing was moved
 */
export async function sequenceBatch(
  connection: LeaderConnection,
  office: Office,
  ranges: readonly IdRange[],
  limits: BatchLimits,
): Promise<Sequenced | null> {
  const rows = await connection.query<Row>(statement, [
    ranges.map(({ low }) => low),
    ranges.map(({ high }) => high),
    limits.messages,
    limits.bytes,
    office.epoch,
    ...lastOf(office),
  ]);
  const { found, fitting, picked, endedBelow, xid } = rows[0]!;
  const moved = rows.filter((row) => row.channel !== null) as MovedRow[];
  if (moved.length < picked) return null;
  // Of a control message that was taken out of turn the scan need not know: it will not be there.
  const inTurn = moved.filter(({ isInTurn }) => isInTurn);
  const taken = inTurn.map(({ outboxId }) => outboxId).sort((a, b) => a - b);
  const isFull = found === limits.messages || fitting < found;
  const look = { taken, isFull, endedBelow: Number(endedBelow), xid: xid === null ? null : Number(xid) };
  return { batches: batchesOf(moved), look };
}

/** A row of the log as the wire has it. */
export function toMessage(row: Pick<MovedRow, 'offset' | 'id' | 'type' | 'key' | 'data' | 'at'>): Message {
  const key = row.key === null ? {} : { key: row.key };
  return { offset: row.offset, id: row.id, type: row.type, ...key, data: row.data, at: row.at.toISOString() };
}

interface MovedRow {
  outboxId: number;
  /** It lies where was looked, and no lower one was left there. */
  isInTurn: boolean;
  channel: string;
  offset: number;
  id: string;
  type: string;
  key: string | null;
  data: unknown;
  at: Date;
  epoch: string;
}

/** Every row tells of the whole; a single one, without a message, when nothing was moved. */
type Row = { found: number; fitting: number; picked: number; endedBelow: string; xid: string | null } & (
  MovedRow | { channel: null }
);

function batchesOf(rows: readonly MovedRow[]): Batch[] {
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

// What was moved is told from what was numbered, not from what was inserted: joined with each other, two sets of rows of which the
// planner expects one row, after a VACUUM of an empty outbox, are compared each with each (65 ms for 450 messages against 12).
// The batch draws its own xid while it runs, hence after its snapshot was taken, as `OutboxScan` needs it.
const statement = {
  name: 'sync_sequence_batch',
  text: `
  with look_at as (
    select * from unnest($1::bigint[], $2::bigint[]) as look_at (low, high)
  ), found as materialized (
    select found.id, found.bytes
    from look_at, lateral (
      select id, bytes from sync_outbox where id between look_at.low and look_at.high order by id limit $3
    ) found
    order by found.id
    limit $3
  ), fitting as materialized (
    select id from (
      select id, row_number() over (order by id) as nth, sum(bytes) over (order by id) as bytes from found
    ) summed
    where nth = 1 or bytes <= $4
  ), picked as materialized (
    select id, true as is_in_turn from fitting
    union all
    select id, false from sync_outbox
    where ${isControlRow} and exists (select from fitting) and id not in (select id from fitting)
  ), office as (
    select epoch from sync_leader where ${isHeld('$5', '$6', '$7', '$8')} and exists (select from fitting) for share
  ), taken as (
    delete from sync_outbox
    where id = any (array(select id from picked)) and exists (select from office)
    returning id, message_id, channel, type, key, data, published_at
  ), numbered as (
    select taken.*, row_number() over (partition by channel order by (${isControlRow}) desc, id) as nth,
           count(*) over (partition by channel) as many
    from taken
  ), before as (
    select name, epoch from sync_channel where name in (select channel from taken)
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
  ), moved as (
    select numbered.channel, heads.head - many + nth as "offset", message_id as id, type, key, data, published_at, heads.epoch,
           numbered.id as outbox_id, numbered.id in (select id from fitting) as is_in_turn
    from numbered join heads on heads.name = numbered.channel
  )
  select (select count(*) from found)::int as found, (select count(*) from fitting)::int as fitting,
         (select count(*) from picked)::int as picked,
         pg_snapshot_xmin(pg_current_snapshot())::text as "endedBelow", (select pg_current_xact_id()::text from office) as xid,
         moved.outbox_id::float8 as "outboxId", moved.is_in_turn as "isInTurn", moved.channel, moved."offset"::float8 as "offset", moved.id, moved.type,
         moved.key, moved.data, moved.published_at as at, moved.epoch
  from (select) always left join moved on true
  order by moved.channel, moved."offset"`,
};
