import { newDeviceId } from './device-id.js';
import type { ChannelAdvance, Row, StoredChannel, SyncStore } from './store.js';

/** Keeps everything as long as the process lives. */
export class MemoryStore implements SyncStore {
  readonly durable = false;
  readonly #channels = new Map<string, StoredChannel>();

  /** @param deviceId default: a new random one */
  constructor(readonly deviceId: string = newDeviceId()) {}

  async load(channel: string): Promise<StoredChannel | null> {
    const stored = this.#channels.get(channel);
    return stored === undefined ? null : { ...stored, rows: new Map(stored.rows) };
  }

  async apply(channel: string, { position, midStep, until, upserts, deletions }: ChannelAdvance): Promise<boolean> {
    const stored = this.#channels.get(channel);
    if (stored !== undefined && position.offset <= stored.position.offset) return false;
    const rows = stored?.rows ?? new Map<string, Row>();
    for (const row of upserts) rows.set(row.key, row);
    for (const key of deletions) rows.delete(key);
    this.#channels.set(channel, { position, midStep, until, rows });
    return true;
  }

  async forget(channel: string): Promise<void> {
    this.#channels.delete(channel);
  }

  async channels(): Promise<string[]> {
    return [...this.#channels.keys()].sort();
  }

  async close(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#channels.clear();
  }
}
