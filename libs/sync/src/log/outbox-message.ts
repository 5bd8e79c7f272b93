import { randomUUID } from 'node:crypto';
import { limits, SyncError, channelName, type ChannelName } from '@soleil/sync-protocol';
import { z } from 'zod';
import { unfit } from '../unfit.js';
import { isControl } from './control-message.js';

/** A message on its way into the log. */
export interface OutboxMessage {
  channel: ChannelName;
  /** What happened, `file_update` for instance. At most 64 characters. Those that begin with `sync.` are Sync's own. */
  type: string;
  /** The entity it is about, `file:42`. Then `data` is its whole state and null means that it is gone. At most 200 characters. */
  key?: string;
  /** Anything JSON can hold, at most 256 KiB of it. */
  data: unknown;
  /**
   * Makes a repeated publish harmless: with a key that the channel knows, the same content is not stored again and the
   * earlier message's id is returned. At most 200 characters.
   */
  idempotencyKey?: string;
}

/** A message as the outbox takes it. */
export interface OutboxRow {
  id: string;
  channel: ChannelName;
  type: string;
  key: string | null;
  /** JSON. */
  data: string;
  /** Of `data`. */
  bytes: number;
  idempotencyKey: string | null;
}

const schema = z.strictObject({
  channel: channelName,
  type: z.string().min(1).max(64),
  key: z.string().min(1).max(200).optional(),
  data: z.unknown(),
  idempotencyKey: z.string().min(1).max(200).optional(),
});

/**
 * Finds what the database would refuse before it is asked, so that the caller's transaction survives a bad message.
 * @throws SyncError `message_invalid`, `message_too_large`
 */
export function toRow(message: OutboxMessage): OutboxRow {
  const parsed = schema.safeParse(message);
  if (!parsed.success) throw unfit('message_invalid', 'The message', parsed.error);
  const { channel, type, key = null, idempotencyKey = null } = message;
  const data = jsonOf(message.data ?? null);
  if (data === undefined || unstorable.test(JSON.stringify([type, key, idempotencyKey])) || unstorable.test(data)) {
    throw new SyncError(
      'message_invalid',
      'The message cannot be published: it is not JSON, or holds a character that is none.',
    );
  }
  const bytes = Buffer.byteLength(data);
  if (bytes > limits.messageBytes) {
    throw new SyncError('message_too_large', 'The message cannot be published: its data is too large.', {
      limitBytes: limits.messageBytes,
    });
  }
  return { id: randomUUID(), channel, type, key, data, bytes, idempotencyKey };
}

/** @throws SyncError `message_invalid` for a type that only Sync's own code may publish */
export function refuseControl(message: OutboxMessage): void {
  if (!isControl(message)) return;
  throw new SyncError('message_invalid', 'The message cannot be published: types that begin with sync. are reserved.', {
    issues: [{ code: 'custom', path: ['type'], message: 'must not begin with sync.' }],
  });
}

/**
 * An escape of NUL or of a lone surrogate, which JSON can spell and Postgres cannot store; the only ones of these that
 * JSON.stringify writes, and not the text of one.
 */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/** Undefined for what JSON cannot hold: a function, a BigInt, a circle. */
function jsonOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    return undefined;
  }
}
