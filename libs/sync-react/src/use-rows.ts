import type { Row, SyncClient } from '@soleil/sync-client';
import { useMemo, useSyncExternalStore } from 'react';
import { useSyncClient } from './provider.js';

type Rows = ReadonlyMap<string, Row>;

/**
 * The rows of several channels as one map by key, the same object until one of them changes. A key that stands in several
 * channels (an entity on its way from one to another) is shown as published last.
 *
 * @param type only rows of this type
 */
export function useRows<Data = unknown>(channels: readonly string[], type?: string): ReadonlyMap<string, Row<Data>> {
  const client = useSyncClient();
  // An array written in place is another object with every rendering; its content is what counts.
  const names = channels.join('\n');
  const { subscribe, snapshot } = useMemo(
    () => mergedRows(client, names === '' ? [] : names.split('\n'), type),
    [client, names, type],
  );
  return useSyncExternalStore(subscribe, snapshot, snapshot) as ReadonlyMap<string, Row<Data>>;
}

interface RowsSource {
  subscribe: (listener: () => void) => () => void;
  snapshot: () => Rows;
}

/** Rows of several channels as one source, merged again only when a channel's rows are others. */
export const mergedRows = (
  client: Pick<SyncClient, 'channel' | 'subscribe'>,
  names: readonly string[],
  type?: string,
): RowsSource => {
  let parts: readonly Rows[] = [];
  let merged: Rows = new Map();
  return {
    subscribe(listener: () => void): () => void {
      const stops = names.map((name) => client.subscribe(name, listener));
      return () => stops.forEach((stop) => stop());
    },
    snapshot(): Rows {
      const present = names.map((name) => client.channel(name).rows);
      if (!sameParts(present, parts)) {
        parts = present;
        merged = mergeRows(present, type);
      }
      return merged;
    },
  };
};

/** The rows of all parts by key; of several with one key the one published last. */
export const mergeRows = (parts: readonly Rows[], type?: string): Rows => {
  const merged = new Map<string, Row>();
  for (const part of parts) {
    for (const row of part.values()) {
      if (type !== undefined && row.type !== type) continue;
      const other = merged.get(row.key);
      if (other === undefined || other.at < row.at) merged.set(row.key, row);
    }
  }
  return merged;
};

const sameParts = (left: readonly Rows[], right: readonly Rows[]): boolean =>
  left.length === right.length && left.every((part, index) => part === right[index]);
