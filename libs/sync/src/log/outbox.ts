import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { checkMessage, type OutboxMessage } from './outbox-message.js';

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
    for (const message of messages) checkMessage(message);
    const rows = messages.map((message) => ({ id: randomUUID(), ...message }));
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
