import { randomUUID } from 'node:crypto';
import { limits, SyncError, channelName, type ChannelName } from '@soleil/sync-protocol';
import type { DataSource, EntityManager } from 'typeorm';
import { z } from 'zod';

/** A message on its way into the log. */
export interface OutboxMessage {
  channel: ChannelName;
  /** What happened, `file_update` for instance. At most 64 characters. */
  type: string;
  /** The entity it is about, `file:42`. Then `data` is its whole state and null means that it is gone. At most 200 characters. */
  key?: string;
  /** Anything JSON can hold, at most 256 KiB of it. */
  data: unknown;
}

const schema = z.strictObject({
  channel: channelName,
  type: z.string().min(1).max(64),
  key: z.string().min(1).max(200).optional(),
  data: z.unknown(),
});

/** The door into the log: one INSERT, which joins the transaction of whoever publishes. */
export class Outbox {
  constructor(private readonly database: DataSource) {}

  /**
   * Stores messages in the order given. They exist exactly if the transaction commits.
   * @param transaction the caller's; without one, the messages are one transaction of their own
   * @returns the messages' ids, in the same order
   * @throws SyncError `message_invalid`, `message_too_large`
   */
  async append(messages: readonly OutboxMessage[], transaction: EntityManager = this.database.manager): Promise<string[]> {
    const rows = messages.map((message) => ({ id: randomUUID(), ...validated(message) }));
    if (rows.length === 0) return [];
    // `with ordinality` keeps the calls' order: identity values are drawn in the order of the rows.
    await transaction.query(
      `insert into sync_outbox (message_id, channel, type, key, data)
       select (row->>'id')::uuid, row->>'channel', row->>'type', row->>'key', nullif(row->'data', 'null'::jsonb)
       from jsonb_array_elements($1::jsonb) with ordinality as given (row, nth)
       order by nth`,
      [JSON.stringify(rows)],
    );
    return rows.map((row) => row.id);
  }
}

/** An escape of NUL or of a lone surrogate, the only ones of these that JSON.stringify writes; not the text of one. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

function validated(message: OutboxMessage): OutboxMessage {
  const parsed = schema.safeParse(message);
  if (!parsed.success) {
    throw new SyncError('message_invalid', `The message cannot be published: ${z.prettifyError(parsed.error)}`, {
      issues: parsed.error.issues,
    });
  }
  const json = JSON.stringify(message.data ?? null);
  // JSON can spell what Postgres cannot store, NUL and halves of surrogate pairs: found here, they do not break the caller's transaction.
  if (json === undefined || unstorable.test(JSON.stringify([message.type, message.key ?? ''])) || unstorable.test(json)) {
    throw new SyncError(
      'message_invalid',
      'The message cannot be published: it is not JSON, or holds a character that is none.',
    );
  }
  if (Buffer.byteLength(json) > limits.messageBytes) {
    throw new SyncError('message_too_large', 'The message cannot be published: its data is too large.', {
      limitBytes: limits.messageBytes,
    });
  }
  return { ...message, data: message.data ?? null };
}
