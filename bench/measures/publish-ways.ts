import { publishOne } from '../../libs/sync/src/log/outbox.js';

/** Of each message: `n` counts those of its writer. */
const prelude = `\\set n :n + 1
\\set channel random(1, :channels)
\\set id random(1, 9000000000000000000)
`;
const id = `lpad(to_hex(:id::bigint), 32, '0')::uuid`;
const key = '(:id)::text';
const channel = `('band:' || :channel)`;
const type = `'note'::text`;
const data = `jsonb_build_object('writer', :client_id::integer, 'n', :n::integer, 'text', :text::text)`;

/** Ways to publish one message: SQL in pgbench's language. */
const statements = {
  /** What `EventBroadcaster` sends for a message with an idempotency key. */
  outbox: filled(publishOne.text, [id, channel, type, 'null::text', data, '200', key, 'null::text']),

  /** The offset is given in the publisher's transaction, which holds the channel's row until it commits. Idempotency keys, too. */
  rowLock: `
    with claimed as (
      insert into bench_idempotency (channel, key, message_id, content_hash)
      values (${channel}, ${key}, ${id}, sha256(convert_to(jsonb_build_array(${type}, null, ${data})::text, 'UTF8')))
      on conflict do nothing
      returning message_id
    ), head as (
      insert into bench_channel as c (name, head, epoch) select ${channel}, 1, 'bench' from claimed
      on conflict (name) do update set head = c.head + 1
      returning head
    )
    insert into bench_message (channel, "offset", id, type, data, published_at)
    select ${channel}, head, ${id}, ${type}, ${data}, clock_timestamp() from head`,

  /** A row in a table like the outbox: no order, no idempotency keys, no log. */
  bareInsert: `
    insert into bench_insert (message_id, channel, type, data, bytes) values (${id}, ${channel}, ${type}, ${data}, 200)`,
};
export type Way = keyof typeof statements;

export const tables = `
  create table bench_channel (like sync_channel including all) with (fillfactor = 20);
  create table bench_message (like sync_message including all);
  create table bench_idempotency (like sync_idempotency including all);
  create table bench_insert (like sync_outbox including all);
  alter table bench_insert alter column id drop default;
  alter table bench_insert alter column id add generated always as identity`;

/** @param workMs how long the transaction goes on after its publish */
export function script(way: Way, workMs: number): string {
  // A single statement is a transaction by itself.
  if (way === 'bareInsert' && workMs === 0) return `${prelude}${statements[way]};\n`;
  const work = workMs > 0 ? `\\sleep ${workMs} ms\n` : '';
  return `${prelude}begin;\n${statements[way]};\n${work}commit;\n`;
}

function filled(sql: string, values: readonly string[]): string {
  return sql.replaceAll(/\$(\d)/g, (_, nth: string) => values[Number(nth) - 1]!);
}
