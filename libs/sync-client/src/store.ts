import type { Message, Position } from '@soleil/sync-protocol';

/** The present state of one entity: the latest keyed message about it. */
export interface Row<Data = unknown> {
  readonly key: string;
  readonly type: string;
  /** The entity's whole state, as its `type` defines it. */
  readonly data: Data;
  readonly offset: number;
  readonly id: string;
  /** When it was published, ISO 8601. */
  readonly at: string;
}

/** What a store keeps of one channel. */
export interface StoredChannel {
  position: Position;
  /** The position lies inside a step: the rows are no state that ever was, until the rest has come. */
  midStep: boolean;
  /** Where that step ends: rows may be of there already. Null beyond that, and where the server does not say. */
  until: Position | null;
  rows: Map<string, Row>;
}

/** One advance of one channel. */
export interface ChannelAdvance {
  position: Position;
  midStep: boolean;
  until: Position | null;
  upserts: readonly Row[];
  /** Keys. */
  deletions: readonly string[];
}

/**
 * Where a device keeps its rows. Position and rows of a channel change together or not at all, and a promise resolves once
 * the change would survive the process. A store belongs to one client.
 */
export interface SyncStore {
  /** Names this store to the server: a lost store is a new device. */
  readonly deviceId: string;
  /** Whether it outlives the page. */
  readonly durable: boolean;
  /** @returns null for a channel nothing is known of */
  load(channel: string): Promise<StoredChannel | null>;
  /** @returns false, having changed nothing, when the store is at this offset or beyond already */
  apply(channel: string, advance: ChannelAdvance): Promise<boolean>;
  /** Rows and position of the channel go together. */
  forget(channel: string): Promise<void>;
  /** The channels it has a position of, sorted. */
  channels(): Promise<string[]>;
  /** Lets go of the store; what is in it stays. */
  close(): Promise<void>;
  /** Removes everything, the device's name included, and closes. */
  destroy(): Promise<void>;
}

/** The rows and keys that `messages` leave behind, each key once. Messages without a key leave nothing. */
export const outcomeOf = (messages: readonly Message[]): { upserts: Row[]; deletions: string[] } => {
  const latest = new Map<string, Message>();
  for (const message of messages) if (message.key !== undefined) latest.set(message.key, message);
  const upserts: Row[] = [];
  const deletions: string[] = [];
  for (const [key, message] of latest) {
    if (message.data === null) deletions.push(key);
    else
      upserts.push({ key, type: message.type, data: message.data, offset: message.offset, id: message.id, at: message.at });
  }
  return { upserts, deletions };
};
