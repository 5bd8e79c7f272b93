import type { Position } from '@soleil/sync-protocol';
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { newDeviceId } from './device-id.js';
import type { ChannelAdvance, Row, StoredChannel, SyncStore } from './store.js';

interface Schema extends DBSchema {
  /** Keyed by channel and the row's key. */
  rows: { key: [string, string]; value: Row };
  channels: { key: string; value: Pick<StoredChannel, 'position' | 'midStep'> & { until?: Position | null } };
  device: { key: 'id'; value: string };
}

// `never` fits wherever idb wants a key range, also where the DOM's types are not there to name one.
type Ranges = { bound(lower: unknown, upper: unknown): never };

/** Strict: complete means on disk, not in a cache of the operating system that a dying battery takes along. */
const strict = { durability: 'strict' } as const;

/** Every row of a channel. In IndexedDB's order an array sorts after every string, so `[channel, []]` ends the range. */
const rowsOf = (channel: string) =>
  (globalThis as unknown as { IDBKeyRange: Ranges }).IDBKeyRange.bound([channel], [channel, []]);

/**
 * Keeps everything in the browser's IndexedDB. A write counts when its transaction has completed, not when its request
 * succeeded: between the two a killed browser loses it.
 */
export class IndexedDbStore implements SyncStore {
  readonly durable = true;

  /** Null once the browser has closed it by itself; the next use opens it again. */
  private database: Promise<IDBPDatabase<Schema>> | null;
  /** Where that came upon nothing, the channels that were looked at since: of another, nobody knows yet that it is gone. */
  private lookedAt: Set<string> | null = null;

  private constructor(
    private readonly name: string,
    database: IDBPDatabase<Schema>,
    readonly deviceId: string,
    private readonly closed: () => void,
  ) {
    this.database = this.watched(database);
  }

  /**
   * Opens the database of this name, making it where there is none. Only one client at a time may have it open.
   *
   * @param closed called once the database is let go of
   */
  static async open(name: string, closed: () => void = () => undefined): Promise<IndexedDbStore> {
    const { database } = await connect(name, newDeviceId());
    const deviceId = await database.get('device', 'id');
    if (deviceId === undefined)
      throw new Error(`The database "${name}" has lost its device id. Remove it: it is then made anew.`);
    return new IndexedDbStore(name, database, deviceId, closed);
  }

  async load(channel: string): Promise<StoredChannel | null> {
    const transaction = (await this.opened()).transaction(['channels', 'rows']);
    const [head, rows] = await Promise.all([
      transaction.objectStore('channels').get(channel),
      transaction.objectStore('rows').getAll(rowsOf(channel)),
      transaction.done,
    ]);
    this.lookedAt?.add(channel);
    if (head === undefined) return null;
    const { position, midStep, until = null } = head;
    return { position, midStep, until, rows: new Map(rows.map((row) => [row.key, row])) };
  }

  async apply(channel: string, { position, midStep, until, upserts, deletions }: ChannelAdvance): Promise<boolean> {
    const database = await this.opened();
    // Rows would be missing below the position.
    if (this.lookedAt?.has(channel) === false) throw new Error('the browser has removed what was stored');
    const transaction = database.transaction(['channels', 'rows'], 'readwrite', strict);
    const channels = transaction.objectStore('channels');
    const stored = await channels.get(channel);
    if (stored !== undefined && position.offset <= stored.position.offset) {
      await transaction.done;
      return false;
    }
    const rows = transaction.objectStore('rows');
    await Promise.all([
      ...upserts.map((row) => rows.put(row, [channel, row.key])),
      ...deletions.map((key) => rows.delete([channel, key])),
      channels.put({ position, midStep, until }, channel),
      transaction.done,
    ]);
    return true;
  }

  async forget(channel: string): Promise<void> {
    const transaction = (await this.opened()).transaction(['channels', 'rows'], 'readwrite', strict);
    await Promise.all([
      transaction.objectStore('channels').delete(channel),
      transaction.objectStore('rows').delete(rowsOf(channel)),
      transaction.done,
    ]);
    this.lookedAt?.add(channel);
  }

  async channels(): Promise<string[]> {
    return (await this.opened()).getAllKeys('channels');
  }

  async close(): Promise<void> {
    (await this.database)?.close();
    this.closed();
  }

  async destroy(): Promise<void> {
    (await this.database)?.close();
    await deleteDB(this.name).finally(this.closed);
  }

  /** Where it cannot be opened, the next use tries again. */
  private opened(): Promise<IDBPDatabase<Schema>> {
    this.database ??= connect(this.name, this.deviceId)
      .then(({ database, isNew }) => {
        if (isNew) this.lookedAt = new Set();
        return this.watched(database);
      })
      .catch((error: unknown) => {
        this.database = null;
        throw error;
      });
    return this.database;
  }

  /** Browsers close it when its data are cleared, or when the process that serves them has ended, as on tablets in the background. */
  private async watched(database: IDBPDatabase<Schema>): Promise<IDBPDatabase<Schema>> {
    (database as unknown as { onclose: () => void }).onclose = () => (this.database = null);
    return database;
  }
}

/** @param deviceId of a database that is made */
const connect = async (name: string, deviceId: string): Promise<{ database: IDBPDatabase<Schema>; isNew: boolean }> => {
  let isNew = false;
  const database = await openDB<Schema>(name, 1, {
    upgrade(fresh) {
      isNew = true;
      fresh.createObjectStore('rows');
      fresh.createObjectStore('channels');
      void fresh.createObjectStore('device').put(deviceId, 'id');
    },
    blocking: (_current, _blocked, event) => (event.target as unknown as { close(): void }).close(),
  });
  return { database, isNew };
};
