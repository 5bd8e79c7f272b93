import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';

const seconds = (n: number): number => n * 1000;
const minutes = (n: number): number => seconds(n * 60);
const kibibytes = (n: number): number => n * 1024;

const positive = z.number().int().positive();

const schema = z.strictObject({
  /** Names this process to the others and in the log. Default: host name, pid and a random part. */
  node: z.string().min(1).max(100),
  /** A sequencer or worker process silent for this long is replaced. */
  leaseMs: positive,
  /** How often the outbox, the log's heads and the queue are looked at without being told to. The safety net of lost wake-ups. */
  pollMs: positive,
  /** Messages that one statement of the sequencer moves, at most. */
  sequencerBatch: positive,
  /** Messages published without a transaction that wait to be stored, at most, … */
  publishQueueMessages: positive,
  /** … and bytes of their data. Beyond that, publishing is refused with `publish_overloaded`. */
  publishQueueBytes: positive,
  /** A publish without a transaction fails with `database_unavailable` when the database has not answered for this long. */
  publishTimeoutMs: positive,
  /** Messages of a channel kept in memory for readers that come back. */
  tailMessages: positive,
  /** Messages in one page of a reader that catches up, … */
  pageMessages: positive,
  /** … and bytes in one frame, but for a single message that is larger. */
  frameBytes: positive,
  /** Sockets that a room's frame is written to before whatever else has come in gets its turn: some ten microseconds each. */
  socketsPerTurn: positive,
  /** A frame of more bytes is compressed, once for all devices that accept it. */
  deflateAfterBytes: positive,
  /** A reader further behind gets the latest of each key instead of every message. */
  compactAfterMessages: positive,
  /** Unacknowledged bytes that one socket may have, at most: what a client that stalls costs. Less, as long as its line takes less. */
  windowBytes: positive,
  /** A client that owes an acknowledgement for this long is disconnected with `ack_timeout`. */
  ackTimeoutMs: positive,
  /** How often, at least, a connection's session and rights are asked for without any news: the safety net of lost news. */
  recheckMs: positive,
  /** What clients are told, on the average: acknowledge at the latest after this time, … */
  ackEveryMs: positive,
  /** … or later, up to a second, where this node would get more acknowledgements a second than these. */
  acksPerSecond: positive,
  /** How long receipts are gathered before they are stored, all together. */
  ledgerFlushMs: positive,
  /** What is superseded, gone or without a key stays this many days in the log, and positions as old are good. */
  retentionDays: positive,
  /** How often what has come of age is pruned. */
  retentionIntervalMs: positive,
  /** How often this node sends a message to itself, to see that changes come through. What stops is named within three times this. */
  canaryMs: positive,
  /** A connection is pinged this often, … */
  pingIntervalMs: positive,
  /** … and is gone when it has not answered for this long. */
  pingTimeoutMs: positive,
  /** Connections one user may have at a time on this node. */
  devicesPerUser: positive,
  /** Channels one connection may follow. */
  subscriptionsPerConnection: positive,
  /** Frames one connection may send on the average, with bursts of two seconds' worth; an acknowledgement counts a tenth. */
  framesPerSecond: positive,
  /** What one user may ask for in a minute, on all nodes: looks at a band or a file, and dead operations to be tried again. */
  requestsPerMinute: positive,
  /** Operations of one band that begin in a minute, on all nodes; critical ones are not counted. Null: as many as can. */
  bandOperationsPerMinute: positive.nullable(),
  /** Operations this process works on at once. */
  workers: positive,
  /** An operation whose questions are not answered within this time has failed, and is tried again. */
  operationTimeoutMs: positive,
  /** An operation is tried this often before it is `dead`. */
  attempts: positive,
  /** Wait before the second attempt, or after the second loss; doubled for each further one, with jitter. */
  retryBaseMs: positive,
  /** Finished operations, and the events that caused them, are kept this many days. */
  operationDays: positive,
  /** A band that was not looked over for this long is. */
  bandSyncIntervalMs: positive,
  /** Whether every band is looked over when the server starts, also one that was lately. */
  syncOnStart: z.boolean(),
  /** Where a REST call carries its token. Default: `Authorization: Bearer`. Undefined for a call without one. */
  readToken: z.custom<(request: { method: string; headers: IncomingHttpHeaders }) => string | undefined>(
    (value) => typeof value === 'function',
  ),
});

export type ResolvedSyncOptions = z.infer<typeof schema>;
/** All optional; see `defaultSyncOptions`. */
export type SyncOptions = Partial<ResolvedSyncOptions>;

export const defaultSyncOptions: Omit<ResolvedSyncOptions, 'node'> = {
  leaseMs: seconds(1.5),
  pollMs: seconds(1),
  sequencerBatch: 500,
  publishQueueMessages: 10_000,
  publishQueueBytes: kibibytes(64 * 1024),
  publishTimeoutMs: seconds(10),
  tailMessages: 1_000,
  pageMessages: 500,
  frameBytes: kibibytes(256),
  socketsPerTurn: 128,
  deflateAfterBytes: kibibytes(4),
  compactAfterMessages: 1_000,
  windowBytes: kibibytes(1024),
  ackTimeoutMs: seconds(30),
  recheckMs: seconds(15),
  ackEveryMs: 100,
  acksPerSecond: 2_000,
  ledgerFlushMs: seconds(1),
  retentionDays: 30,
  retentionIntervalMs: minutes(60),
  canaryMs: seconds(1),
  pingIntervalMs: seconds(10),
  pingTimeoutMs: seconds(10),
  devicesPerUser: 10,
  subscriptionsPerConnection: 50,
  framesPerSecond: 100,
  requestsPerMinute: 30,
  bandOperationsPerMinute: null,
  workers: 64,
  operationTimeoutMs: minutes(1),
  attempts: 3,
  retryBaseMs: seconds(1),
  operationDays: 30,
  bandSyncIntervalMs: minutes(5),
  syncOnStart: true,
  readToken: ({ headers }) => /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1],
};

/** @throws Error naming the option that does not fit */
export function resolveSyncOptions(given: SyncOptions = {}): ResolvedSyncOptions {
  const node = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const parsed = schema.safeParse({ node, ...defaultSyncOptions, ...defined });
  if (!parsed.success) throw new Error(`SyncModule options: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
