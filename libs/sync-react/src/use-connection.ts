import type { ConnectionSnapshot } from '@soleil/sync-client';
import { useCallback, useSyncExternalStore } from 'react';
import { useSyncClient } from './provider.js';

/** How the connection is, now and after every change. */
export function useConnection(): ConnectionSnapshot {
  const client = useSyncClient();
  const subscribe = useCallback((listener: () => void) => client.subscribeConnection(listener), [client]);
  const snapshot = () => client.connection;
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
