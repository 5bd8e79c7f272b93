import { SyncError } from '@soleil/sync-protocol';
import type { PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';
import type { OutboxRow } from './outbox-message.js';

/** What became of one message: its id, or why it was not stored. */
export type Stored = { id: string } | { error: SyncError };

/**
 * The door into the log: one INSERT, on the connection of whoever publishes.
 *
 * An idempotency key is an entry of `sync_idempotency`, written by the same statement. Where another transaction has
 * written it and not yet ended, the statement waits for that one: whether this is a repetition is not decided before. No
 * other lock is shared among publishers. Entries are written in the order of channel and key, whatever the order of the
 * messages, so that two statements never wait for each other.
 */
export class Outbox {
  /**
   * Stores rows within the transaction of `runner`, all of them or, when one is refused, none. They keep their order.
   * @param impatient see {@link appendEach}; the transaction is lost then
   * @returns the messages' ids, in the same order
   * @throws SyncError `idempotency_conflict`; the transaction may go on. What the database throws: it may not
   */
  async append(rows: readonly OutboxRow[], runner: QueryRunner, impatient = false): Promise<string[]> {
    const client = (await runner.connect()) as PoolClient;
    const { fresh, results } = await store(client, rows, impatient);
    const refused = results.find((result) => 'error' in result);
    if (!refused) return results.map((result) => (result as { id: string }).id);
    const claimed = rows.filter(({ id, idempotencyKey }) => idempotencyKey !== null && fresh.has(id));
    await client.query(undo, [
      [...fresh.values()],
      claimed.map(({ channel }) => channel),
      claimed.map(({ idempotencyKey }) => idempotencyKey),
    ]);
    throw refused.error;
  }

  /**
   * Stores rows outside of any transaction, in one statement; each of them is stored or refused for itself.
   * @param impatient waits only a moment for a transaction that holds one of the keys
   * @throws what the database throws, {@link isKeyHeld} for instance; nothing is stored then
   */
  async appendEach(rows: readonly OutboxRow[], runner: QueryRunner, impatient: boolean): Promise<Stored[]> {
    return (await store((await runner.connect()) as PoolClient, rows, impatient)).results;
  }
}

/** Whether an impatient statement gave up: another transaction holds one of the keys and has not ended yet. */
export const isKeyHeld = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === '55P03';

/** How long a group waits for the transaction that holds one of its keys. */
const patienceMs = 50;

/** @returns `fresh`: what was inserted, message id → outbox id */
async function store(
  client: PoolClient,
  rows: readonly OutboxRow[],
  impatient: boolean,
): Promise<{ fresh: Map<string, string>; results: Stored[] }> {
  const fresh = new Map<string, string>();
  const results = new Map<OutboxRow, Stored>();
  let open = rows;
  while (open.length > 0) {
    for (const { id, messageId } of await insert(client, open, impatient)) fresh.set(messageId, id);
    const known = open.filter(({ id }) => !fresh.has(id));
    for (const row of open) if (fresh.has(row.id)) results.set(row, { id: row.id });
    if (known.length === 0) break;
    // A statement of its own: an entry for whose transaction the first one waited is not in that one's snapshot.
    const earlier = await client.query<{ nth: number; id: string; same: boolean }>(lookUp, [jsonOf(known)]);
    for (const { nth, id, same } of earlier.rows) results.set(known[nth - 1]!, same ? { id } : { error: conflict() });
    // Retention may have forgotten an entry between the two statements: then it is fresh after all.
    open = known.filter((row) => !results.has(row));
  }
  return { fresh, results: rows.map((row) => results.get(row)!) };
}

interface FreshRow {
  id: string;
  messageId: string;
}

async function insert(client: PoolClient, rows: readonly OutboxRow[], impatient: boolean): Promise<FreshRow[]> {
  const wait = impatient ? `${patienceMs}ms` : null;
  if (rows.length === 1) {
    const { id, channel, type, key, data, bytes, idempotencyKey } = rows[0]!;
    const values = [id, channel, type, key, data, bytes, idempotencyKey, wait];
    return (await client.query<FreshRow>({ ...publishOne, values })).rows;
  }
  const isOnce = rows.some(({ idempotencyKey }) => idempotencyKey !== null);
  if (!isOnce) return (await client.query<FreshRow>({ ...several, values: [jsonOf(rows)] })).rows;
  return (await client.query<FreshRow>({ ...once, values: [jsonOf(rows), wait] })).rows;
}

/** JSON for the database; the data, JSON already, is not encoded once more. */
function jsonOf(rows: readonly OutboxRow[]): string {
  const encoded = rows.map(({ data, ...row }) => `${JSON.stringify(row).slice(0, -1)},"data":${data}}`);
  return `[${encoded.join(',')}]`;
}

function conflict(): SyncError {
  return new SyncError(
    'idempotency_conflict',
    'The message cannot be published: its idempotency key was used for another content.',
  );
}

const given = `given as materialized (
    select (row->>'id')::uuid as message_id, row->>'channel' as channel, row->>'type' as type, row->>'key' as key,
           nullif(row->'data', 'null') as data, (row->>'bytes')::integer as bytes, row->>'idempotencyKey' as idempotency_key,
           nth, row
    from jsonb_array_elements($1::jsonb) with ordinality as given (row, nth)
  )`;

// Of jsonb, whose text does not depend on how the publisher ordered its properties.
const contentHash = (type: string, key: string, data: string): string =>
  `sha256(convert_to(jsonb_build_array(${type}, ${key}, ${data})::text, 'UTF8'))`;
const givenHash = contentHash(`row->'type'`, `row->'key'`, `row->'data'`);

// Before an entry is claimed: a lock that is not to be had in time ends the statement.
const patience = (time: string): string => `patience as materialized (
    select set_config('lock_timeout', ${time}, true) where ${time}::text is not null
  )`;

// Named statements are planned once per connection.

/** A single message is given as it is: taking it out of JSON would take a third of the statement's time. */
export const publishOne = {
  name: 'sync_publish_one',
  text: `
  with ${patience('$8')}, claimed as (
    insert into sync_idempotency (channel, key, message_id, content_hash)
    select $2, $7, $1, ${contentHash('$3::text', '$4::text', '$5::jsonb')}
    from (select) always left join patience on true
    where $7::text is not null
    on conflict do nothing
    returning message_id
  )
  insert into sync_outbox (message_id, channel, type, key, data, bytes)
  select $1, $2, $3, $4, nullif($5::jsonb, 'null'), $6
  where $7 is null or exists (select from claimed)
  returning id, message_id as "messageId"`,
};

// The ids are drawn in the order of the rows.
const several = {
  name: 'sync_publish_several',
  text: `
  with ${given}
  insert into sync_outbox (message_id, channel, type, key, data, bytes)
  select message_id, channel, type, key, data, bytes from given order by nth
  returning id, message_id as "messageId"`,
};

// Of two messages with one key in one call, the first counts.
const once = {
  name: 'sync_publish_once',
  text: `
  with ${given}, ${patience('$2')}, claimed as (
    insert into sync_idempotency (channel, key, message_id, content_hash)
    select channel, idempotency_key, message_id, ${givenHash}
    from given left join patience on true
    where idempotency_key is not null
    order by channel, idempotency_key, nth
    on conflict do nothing
    returning message_id
  )
  insert into sync_outbox (message_id, channel, type, key, data, bytes)
  select message_id, channel, type, key, data, bytes from given
  where idempotency_key is null or message_id in (select message_id from claimed)
  order by nth
  returning id, message_id as "messageId"`,
};

const lookUp = `
  with ${given}
  select given.nth::integer as nth, earlier.message_id as id, earlier.content_hash = ${givenHash} as same
  from given join sync_idempotency earlier on earlier.channel = given.channel and earlier.key = given.idempotency_key`;

const undo = `
  with unpublished as (delete from sync_outbox where id = any($1::bigint[]))
  delete from sync_idempotency where (channel, key) in (select * from unnest($2::text[], $3::text[]))`;
