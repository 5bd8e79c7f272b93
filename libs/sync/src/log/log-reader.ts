import type { Message, Position } from '@soleil/sync-protocol';
import type { DataSource } from 'typeorm';
import { isControl } from './control-message.js';
import { toMessage } from './sequence-batch.js';

/** Where a history of the log begins within one channel. */
export interface EpochStart {
  epoch: string;
  /** Offset of its first message. */
  beganAt: number;
}

export interface ChannelState {
  head: number;
  /** Ascending by `beganAt`. Empty for a channel without messages. */
  epochs: EpochStart[];
}

export interface PageQuery {
  channel: string;
  /** Messages after this offset, … */
  after: number;
  /** … up to and including this one. */
  upTo: number;
  /** True: leave out what a later message of the same key, within `upTo`, supersedes. */
  compacted: boolean;
  limit: number;
}

type MessageRow = { offset: number; id: string; type: string; key: string | null; data: unknown; at: Date };

const columns = `m."offset"::float8 as "offset", m.id, m.type, m.key, m.data, m.published_at as at`;

const everyMessage = `
  select ${columns} from sync_message m
  where m.channel = $1 and m."offset" > $2 and m."offset" <= $3
  order by m."offset" limit $4`;

// From the start, nobody needs to hear that something it never had is gone.
const latestOfEachKey = `
  select ${columns} from sync_message m
  where m.channel = $1 and m."offset" > $2 and m."offset" <= $3
    and (m.key is null or not exists (
      select from sync_message later
      where later.channel = m.channel and later.key = m.key and later."offset" > m."offset" and later."offset" <= $3))
    and not ($2 = 0 and m.key is not null and m.data is null)
  order by m."offset" limit $4`;

const messageById = `select m.channel, ${columns} from sync_message m where m.id = $1`;

/** Reads the log. Knows nothing of who reads. */
export class LogReader {
  constructor(private readonly database: DataSource) {}

  async state(channel: string): Promise<ChannelState> {
    // One statement, so that head and epochs are of one moment.
    const rows = await this.database.query<({ head: number } & EpochStart)[]>(
      `select c.head::float8 as head, e.epoch, e.began_at::float8 as "beganAt"
       from sync_channel c join sync_channel_epoch e on e.channel = c.name
       where c.name = $1 order by e.began_at`,
      [channel],
    );
    return { head: rows[0]?.head ?? 0, epochs: rows.map(({ epoch, beganAt }) => ({ epoch, beganAt })) };
  }

  /** Heads of those channels that have messages. */
  async heads(channels: readonly string[]): Promise<Map<string, Position>> {
    const rows = await this.database.query<{ name: string; head: number; epoch: string }[]>(
      `select name, head::float8 as head, epoch from sync_channel where name = any($1)`,
      [channels],
    );
    return new Map(rows.map(({ name, head, epoch }) => [name, { epoch, offset: head }]));
  }

  /** The message of this id, wherever it is; null where there is none that devices are sent. */
  async message(id: string): Promise<{ channel: string; message: Message } | null> {
    if (!isUuid.test(id)) return null;
    const [row] = await this.database.query<(MessageRow & { channel: string })[]>(messageById, [id]);
    return row && !isControl(row) ? { channel: row.channel, message: toMessage(row) } : null;
  }

  /** Messages ascending by offset, at most `limit`. Fewer than `limit` means that there are no more up to `upTo`. */
  async page(query: PageQuery): Promise<Message[]> {
    const rows = await this.database.query<MessageRow[]>(query.compacted ? latestOfEachKey : everyMessage, [
      query.channel,
      query.after,
      query.upTo,
      query.limit,
    ]);
    return rows.map(toMessage);
  }
}

const isUuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
