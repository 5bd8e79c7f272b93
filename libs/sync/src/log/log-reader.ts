import DataLoader from 'dataloader';
import type { Message, Position } from '@soleil/sync-protocol';
import type { DataSource } from 'typeorm';
import { queryWithin } from './borrowed-runner.js';
import { isControl, isControlRow, rightEnded } from './control-message.js';
import { toMessage } from './sequence-batch.js';

/** Where a history of the log begins within one channel. */
export interface EpochStart {
  epoch: string;
  /** Offset of its first message. */
  beganAt: number;
}

export interface ChannelState extends Pruned {
  head: number;
  /** Ascending by `beganAt`. Empty for a channel without messages. The first one stands for all before it, too. */
  epochs: EpochStart[];
}

/** How far retention had come in the channel when the log was read. */
export interface Pruned {
  /** Who stands below this offset cannot be told any more what all has gone since. */
  prunedTo: number;
}

export interface Page extends Pruned {
  /** Ascending by offset. */
  messages: Message[];
}

export interface Outline extends Pruned {
  /** Ascending. */
  offsets: number[];
}

export interface PageQuery {
  channel: string;
  /** Messages after this offset, … */
  after: number;
  /** … up to and including this one. */
  upTo: number;
  limit: number;
}

/**
 * What a reader gets that is not told every message. `state`, for one that has nothing: the latest of each key that is not
 * gone. `changes`, for one that comes from a position: the latest of each key, tombstones too, and whatever has no key.
 */
export type Extent = 'state' | 'changes';

export type LatestQuery = Omit<PageQuery, 'limit'> & { extent: Extent };
const prunedTo = `coalesce((select pruned_to from sync_retention where channel = $1), 0)::float8 as "prunedTo"`;

type StateRow = { head: number } & Pruned & EpochStart;

const stateColumns = `c.head::float8 as head, ${prunedTo}, e.epoch, e.began_at::float8 as "beganAt"`;

const toState = (rows: readonly StateRow[]): ChannelState => ({
  head: rows[0]?.head ?? 0,
  prunedTo: rows[0]?.prunedTo ?? 0,
  epochs: rows.map(({ epoch, beganAt }) => ({ epoch, beganAt })),
});

/** Of whose right to which channel it is asked whether it has changed since the channel stood there. */
export interface RightQuery {
  channel: string;
  userId: string;
  after: number;
}

/** A channel's state, and whose right to it has ended, at which offset it did last. */
export interface Opening {
  state: ChannelState;
  rightsEnded: Map<string, number>;
}

type OpeningRow = StateRow & { name: string; rightsEnded: Record<string, number> | null };

const openingsOf = `
  with ended as materialized (
    select channel, jsonb_object_agg(user_id, at) as users
    from (select channel, data->>'userId' as user_id, max("offset") as at from sync_message
          where channel = any($1) and type = '${rightEnded}' group by 1, 2) ended
    group by channel
  )
  select c.name, c.head::float8 as head, coalesce(r.pruned_to, 0)::float8 as "prunedTo", e.epoch,
         e.began_at::float8 as "beganAt", ended.users as "rightsEnded"
  from sync_channel c
  join sync_channel_epoch e on e.channel = c.name
  left join sync_retention r on r.channel = c.name
  left join ended on ended.channel = c.name
  where c.name = any($1) order by c.name, e.began_at`;

const toOpening = (rows: readonly OpeningRow[]): Opening => ({
  state: toState(rows),
  rightsEnded: new Map(Object.entries(rows[0]?.rightsEnded ?? {})),
});

// What is moved leaves the outbox and enters the log in one transaction: one look finds it in exactly one of them.
const changedRights = `
  select (asked.channel, asked.user_id) in (
           select channel, data->>'userId' from sync_outbox where ${isControlRow} and type = '${rightEnded}'
         ) or exists (
           select from sync_message m
           where m.channel = asked.channel and m."offset" > asked.after and m.type = '${rightEnded}'
             and m.data->>'userId' = asked.user_id
         ) as "hasChanged"
  from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality asked (channel, user_id, after, nth)
  order by nth`;

type MessageRow = { offset: number; id: string; type: string; key: string | null; data: unknown; at: Date };

const columns = `m."offset"::float8 as "offset", m.id, m.type, m.key, m.data, m.published_at as at`;

/** In one statement with what is read: who sees that something was pruned also sees how far. */
const withPrunedTo = (rows: string): string => `
  select * from (select ${prunedTo}) pruned left join (${rows}) found on true order by "offset"`;

const everyMessage = withPrunedTo(`
  select ${columns} from sync_message m
  where m.channel = $1 and m."offset" > $2 and m."offset" <= $3
  order by m."offset" limit $4`);

const theseMessages = withPrunedTo(`
  select ${columns} from sync_message m
  where m.channel = $1 and m."offset" = any($2::bigint[])`);

/**
 * Steps from key to key through the index, to each one's newest message: the cost is that of the keys, however long the
 * history. (Whether a later message supersedes it, asked of each message, cost 200,000 index scans where 500 keys had
 * 200,000 messages.)
 */
const newestOfEachKey = `
  recursive newest (key, "offset", is_gone) as (
    (select m.key, m."offset", m.data is null
     from sync_message m
     where m.channel = $1 and m.key is not null and m."offset" <= $3
     order by m.key desc, m."offset" desc limit 1)
    union all
    select next.* from newest, lateral (
      select m.key, m."offset", m.data is null
      from sync_message m
      where m.channel = $1 and m.key < newest.key and m."offset" <= $3
      order by m.key desc, m."offset" desc limit 1) next)`;

const latest: Record<Extent, string> = {
  state: `
    with ${newestOfEachKey}
    ${withPrunedTo(`select "offset"::float8 as "offset" from newest where "offset" > $2 and not is_gone`)}`,
  changes: `
    with ${newestOfEachKey}
    ${withPrunedTo(`
      select "offset"::float8 as "offset" from newest where "offset" > $2
      union all
      select m."offset"::float8 from sync_message m
      where m.channel = $1 and m.key is null and m."offset" > $2 and m."offset" <= $3`)}`,
};

const messageById = `select m.channel, ${columns} from sync_message m where m.id = $1`;

/** Reads the log. Knows nothing of who reads. */
export class LogReader {
  private readonly openings = readTogether((channels: readonly string[]) => this.open(channels));
  private readonly rights = readTogether((queries: readonly RightQuery[]) => this.changes(queries));

  /** @param timeoutMs a read that takes longer has failed: whoever reads next must not wait for a connection that is dead */
  constructor(
    private readonly database: DataSource,
    private readonly timeoutMs = 10_000,
  ) {}

  async state(channel: string): Promise<ChannelState> {
    // One statement, so that head and epochs are of one moment.
    const rows = await this.query<StateRow>(
      `select ${stateColumns} from sync_channel c join sync_channel_epoch e on e.channel = c.name
       where c.name = $1 order by e.began_at`,
      [channel],
      this.timeoutMs * promptTakes,
    );
    return toState(rows);
  }

  /** The state, and whose right to the channel has ended, at which offset it did last. Of one moment, too. */
  opening(channel: string): Promise<Opening> {
    return this.openings.load(channel);
  }

  /** Whether, as of now, the right has ended or begun after that offset, also by a message that has no offset yet. */
  rightHasChanged(query: RightQuery): Promise<boolean> {
    return this.rights.load(query);
  }

  /** Heads of those channels that have messages. */
  async heads(channels: readonly string[]): Promise<Map<string, Position & Pruned>> {
    const rows = await this.query<{ name: string; head: number; epoch: string } & Pruned>(
      `select c.name, c.head::float8 as head, c.epoch, coalesce(r.pruned_to, 0)::float8 as "prunedTo"
       from sync_channel c left join sync_retention r on r.channel = c.name
       where c.name = any($1)`,
      [channels],
    );
    return new Map(rows.map(({ name, head, epoch, prunedTo: pruned }) => [name, { epoch, offset: head, prunedTo: pruned }]));
  }

  /** The message of this id, wherever it is; null where there is none that devices are sent. */
  async message(id: string): Promise<{ channel: string; message: Message } | null> {
    if (!isUuid.test(id)) return null;
    const [row] = await this.query<MessageRow & { channel: string }>(messageById, [id]);
    return row && !isControl(row) ? { channel: row.channel, message: toMessage(row) } : null;
  }

  /** At most `limit` messages. Fewer than `limit` means that there are no more up to `upTo`. */
  async page({ channel, after, upTo, limit }: PageQuery): Promise<Page> {
    return this.messages(everyMessage, [channel, after, upTo, limit]);
  }

  /** Where the messages are that a reader of this extent gets in `after`+1..`upTo`. */
  async latest({ channel, after, upTo, extent }: LatestQuery): Promise<Outline> {
    const rows = await this.query<Found<{ offset: number }>>(
      latest[extent],
      [channel, after, upTo],
      this.timeoutMs * outlineTakes,
    );
    return { prunedTo: rows[0]!.prunedTo, offsets: rows.filter(isThere).map(({ offset }) => offset) };
  }

  /** Those of the messages at these offsets that are still there. */
  async at(channel: string, offsets: readonly number[]): Promise<Page> {
    return this.messages(theseMessages, [channel, offsets]);
  }

  private async open(channels: readonly string[]): Promise<Opening[]> {
    const found = new Map(channels.map((channel): [string, OpeningRow[]] => [channel, []]));
    const rows = await this.query<OpeningRow>(openingsOf, [channels], this.timeoutMs * promptTakes);
    for (const row of rows) found.get(row.name)!.push(row);
    return channels.map((channel) => toOpening(found.get(channel)!));
  }

  private async changes(queries: readonly RightQuery[]): Promise<boolean[]> {
    const columns = [
      queries.map(({ channel }) => channel),
      queries.map(({ userId }) => userId),
      queries.map(({ after }) => after),
    ];
    const rows = await this.query<{ hasChanged: boolean }>(changedRights, columns, this.timeoutMs * promptTakes);
    return rows.map(({ hasChanged }) => hasChanged);
  }

  private query<Row>(sql: string, parameters: readonly unknown[], timeoutMs = this.timeoutMs): Promise<Row[]> {
    return queryWithin(this.database, timeoutMs, sql, parameters);
  }

  private async messages(sql: string, parameters: unknown[]): Promise<Page> {
    const rows = await this.query<Found<MessageRow>>(sql, parameters);
    return { prunedTo: rows[0]!.prunedTo, messages: rows.filter(isThere).map(toMessage) };
  }
}

/** What is asked while an answer is on its way is read together: a thousand people, back at once, ask as many times. */
function readTogether<Query, Answer>(read: (queries: readonly Query[]) => Promise<Answer[]>): DataLoader<Query, Answer> {
  let onItsWay: Promise<unknown> = Promise.resolve();
  return new DataLoader<Query, Answer>(
    (queries) => {
      const reading = read(queries);
      onItsWay = reading.catch(() => undefined);
      return reading;
    },
    { cache: false, batchScheduleFn: (dispatch) => void onItsWay.then(dispatch) },
  );
}

/**
 * What a subscription waits for is small, and may have to wait for one such read before it: a client that is not answered
 * for ten seconds gives up its connection, which outlives a database that fell silent.
 */
const promptTakes = 0.4;
/** The outline of a month is a large answer. */
const outlineTakes = 6;

const isUuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Where nothing was found, there is one row that only tells how far the channel was pruned. */
type Found<Row> = Pruned & (Row | { offset: null });

const isThere = <Row extends { offset: number }>(row: Found<Row>): row is Pruned & Row => row.offset !== null;
