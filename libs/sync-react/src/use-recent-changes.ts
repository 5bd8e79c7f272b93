import { useSyncExternalStore } from 'react';
import { useSyncClient } from './provider.js';
import { recentChangesOf, type RecentChange } from './recent-changes.js';

/**
 * What changed since this device last had everything: live, or missed while it was away; the newest first, one for each
 * key, at most 200. Collected from the first `SyncProvider` on. For marking what is new until somebody has seen it.
 */
export function useRecentChanges(): {
  changes: readonly RecentChange[];
  /** @param key of the message, or its id where it has none */
  dismiss(key: string): void;
  dismissAll(): void;
} {
  const recent = recentChangesOf(useSyncClient());
  const snapshot = () => recent.changes;
  const changes = useSyncExternalStore(recent.subscribe, snapshot, snapshot);
  return { changes, dismiss: recent.dismiss, dismissAll: recent.dismissAll };
}
