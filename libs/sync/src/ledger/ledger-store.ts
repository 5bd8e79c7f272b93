import type { DataSource, EntityManager } from 'typeorm';
import { inTransaction, queryWithin, withRunner } from '../log/borrowed-runner.js';
import { joined, type Holding, type Mark, type Taken } from './device-record.js';
import { DatabaseClock } from './database-clock.js';
import { devicesOf } from './delivery-statement.js';
import {
  appendRuns,
  insertReaders,
  lockDevices,
  noteDevices,
  readClock,
  shortenRuns,
  truncateRuns,
} from './receipt-statements.js';
import { dropHoldings, putHoldings } from './holding-statements.js';
import { mergeOldRuns, removeDevices, removeSurplusDevices, removeUnseenDevices } from './prune-statements.js';

/** What has come of age in a month of all devices is much at once. */
const pruningTakes = 6;

/** One device's part of a write. */
interface Entry {
  taken: Taken;
  marks: Map<string, Mark>;
  holdings: Map<string, Holding>;
}

/** Of a device whose latest connection is ours. */
interface Claimed extends Entry {
  /** Its row. */
  device: string;
}

/**
 * The ledger's tables. Two nodes may write about one device when it has moved: rows are locked in one order, and only
 * the node that has the device's latest connection is heard, so that a late write of the other one undoes nothing.
 */
export class LedgerStore {
  private readonly clock = new DatabaseClock();

  /** @param timeoutMs what takes longer is given up */
  constructor(
    private readonly database: DataSource,
    private readonly timeoutMs = 10_000,
  ) {}

  /**
   * Stores everything or nothing. When it fails with `database_unavailable` it may have been stored all the same: storing
   * it again is harmless.
   * @param now the clock by which marks were made: what is stored is their age, so that the database's clock alone counts
   */
  async write(taken: readonly Taken[], now: () => number): Promise<void> {
    const entries = latestOfEachDevice(taken);
    await withRunner(this.database, this.timeoutMs, (runner) =>
      inTransaction(runner, () => this.writeIn(runner.manager, entries, now)),
    );
  }

  /** The devices of these people that are on the roster, in the order in which they were first seen. */
  async devices({ userIds, channel, offset, file }: DeliveryQuery): Promise<DeviceDelivery[]> {
    const rows = await queryWithin<DeliveryRow>(this.database, this.timeoutMs, devicesOf, [
      userIds,
      channel,
      offset,
      file?.key ?? null,
      file?.hash ?? null,
    ]);
    return rows.map(({ lastSeenAt, knowsSince, hasSince, ...row }) => ({
      ...row,
      lastSeenAt: lastSeenAt.toISOString(),
      knowsSince: knowsSince?.toISOString() ?? null,
      hasSince: hasSince?.toISOString() ?? null,
    }));
  }

  /** Ends what is older than the ledger remembers: devices that left the roster, and runs of long ago become one. */
  async prune(): Promise<void> {
    for (const statement of [removeUnseenDevices, removeSurplusDevices, mergeOldRuns])
      await queryWithin(this.database, this.timeoutMs * pruningTakes, statement, []);
  }

  private async writeIn(transaction: EntityManager, entries: readonly Entry[], now: () => number): Promise<void> {
    const ids = await this.claim(entries, transaction, now);
    const ours = entries.flatMap((entry) => {
      const device = ids.get(keyOf(entry.taken));
      return device === undefined ? [] : [{ ...entry, device }];
    });
    const isGone = ({ taken }: Entry): boolean => taken.record.isSignedOut;
    const gone = ours.filter(isGone);
    if (gone.length > 0) await transaction.query(removeDevices, columnsOf(gone, 'device'));
    const present = ours.filter((entry) => !isGone(entry));
    await storeReceipts(present, transaction, now);
    await storeHoldings(present, transaction, now);
  }

  /** @returns the ids of those devices whose latest connection is ours, by key, their rows locked */
  private async claim(
    entries: readonly Entry[],
    transaction: EntityManager,
    now: () => number,
  ): Promise<Map<string, string>> {
    await this.readClock(transaction, now);
    const connections = new Map(entries.map(({ taken }) => [keyOf(taken), taken.record.connection]));
    const isOurs = (row: DeviceRow): boolean => connections.get(rowKeyOf(row)) === row.connection;
    const identities = entries.map(({ taken }) => taken.record.identity);
    const rows = await transaction.query<DeviceRow[]>(lockDevices, columnsOf(identities, 'userId', 'deviceId'));
    const ids = new Map(rows.filter(isOurs).map((row) => [rowKeyOf(row), row.id]));
    // One that is not noted as ours has moved, or the database was set back to a backup and does not know that it is here.
    const news = entries
      .filter(({ taken }) => taken.isNews || !ids.has(keyOf(taken)))
      .map(({ taken }) => noteOf(taken, now, this.clock));
    if (news.length > 0) {
      const columns = columnsOf(
        news,
        'userId',
        'deviceId',
        'name',
        'durable',
        'connection',
        'connectedAtMs',
        'connected',
        'unseenMs',
      );
      for (const row of await transaction.query<DeviceRow[]>(noteDevices, columns)) ids.set(rowKeyOf(row), row.id);
    }
    return ids;
  }

  /** Once a write; at first until it is known well enough. */
  private async readClock(transaction: EntityManager, now: () => number): Promise<void> {
    do {
      const [answer] = await transaction.query<[{ ms: number }]>(readClock);
      this.clock.answered(answer.ms, now());
    } while (!this.clock.isSet);
  }
}

async function storeReceipts(entries: readonly Claimed[], transaction: EntityManager, now: () => number): Promise<void> {
  const marks = entries.flatMap(({ device, marks }) =>
    [...marks].map(([channel, { floor, upTo, at }]) => ({ device, channel, floor, upTo, ageMs: now() - at })),
  );
  const begun = marks.filter(({ floor }) => floor !== null);
  if (begun.length > 0) {
    const columns = columnsOf(begun, 'device', 'channel', 'floor');
    await transaction.query(shortenRuns, columns);
    await transaction.query(truncateRuns, columns);
  }
  if (marks.length > 0) {
    const columns = columnsOf(marks, 'device', 'channel', 'upTo', 'ageMs');
    await transaction.query(insertReaders, columns.slice(0, 2));
    await transaction.query(appendRuns, columns);
  }
}

async function storeHoldings(entries: readonly Claimed[], transaction: EntityManager, now: () => number): Promise<void> {
  const holdings = entries.flatMap(({ device, holdings }) =>
    [...holdings.values()].map(({ at, ...holding }) => ({ device, ...holding, ageMs: now() - at })),
  );
  const gone = holdings.filter(({ hash }) => hash === null);
  if (gone.length > 0) await transaction.query(dropHoldings, columnsOf(gone, 'device', 'channel', 'key'));
  const held = holdings.filter(({ hash }) => hash !== null);
  if (held.length > 0) await transaction.query(putHoldings, columnsOf(held, 'device', 'channel', 'key', 'hash', 'ageMs'));
}

const keyOf = ({ record: { identity } }: Taken): string => `${identity.userId} ${identity.deviceId}`;
const rowKeyOf = ({ user_id, device_id }: DeviceRow): string => `${user_id} ${device_id}`;

const noteOf = ({ record }: Taken, now: () => number, clock: DatabaseClock) => ({
  ...record.identity,
  connection: record.connection,
  connectedAtMs: clock.at(record.connectedAt),
  connected: record.leftAt === null,
  unseenMs: record.leftAt === null ? 0 : now() - record.leftAt,
});

interface DeliveryQuery {
  userIds: readonly string[];
  channel: string;
  offset: number;
  /** The file that the message brought news of. */
  file: { key: string; hash: string } | null;
}

/** What one device knows and has of a message. Times are ISO 8601, UTC. */
export interface DeviceDelivery {
  userId: string;
  deviceId: string;
  /** As the device calls itself; null where it does not. */
  name: string | null;
  /** Of a node that was killed it may be true for a minute too long. */
  isConnected: boolean;
  /** While it is connected, some seconds ago at most. */
  lastSeenAt: string;
  /** When it acknowledged the message; null: it does not know it. Exact to a second, for 30 days; older: at the latest then. */
  knowsSince: string | null;
  /** When it was first reported to have the file, its hash verified; null: it has not, does not know it, or there is no file to have. */
  hasSince: string | null;
}

type DeliveryRow = Omit<DeviceDelivery, 'lastSeenAt' | 'knowsSince' | 'hasSince'> &
  Record<'lastSeenAt', Date> &
  Record<'knowsSince' | 'hasSince', Date | null>;

interface DeviceRow {
  id: string;
  user_id: string;
  device_id: string;
  connection: string;
}

/** A device that came back within a second is noted once, as its latest connection has it. */
function latestOfEachDevice(taken: readonly Taken[]): Entry[] {
  const byDevice = new Map<string, Entry>();
  for (const own of [...taken].sort((one, other) => one.record.connectedAt - other.record.connectedAt)) {
    const earlier = byDevice.get(keyOf(own));
    byDevice.set(keyOf(own), {
      taken: own,
      marks: earlier ? merged(earlier.marks, own.marks) : own.marks,
      holdings: earlier ? new Map([...earlier.holdings, ...own.holdings]) : own.holdings,
    });
  }
  return [...byDevice.values()];
}

function merged(earlier: ReadonlyMap<string, Mark>, later: ReadonlyMap<string, Mark>): Map<string, Mark> {
  const marks = new Map(later);
  for (const [channel, mark] of earlier) marks.set(channel, joined(mark, later.get(channel)));
  return marks;
}

/** Rows as a statement's parameters: one array for each column. */
function columnsOf<Row, Column extends keyof Row>(rows: readonly Row[], ...columns: Column[]): Row[Column][][] {
  return columns.map((column) => rows.map((row) => row[column]));
}
