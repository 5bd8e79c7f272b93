import type { SyncClient } from '@soleil/sync-client';
import { createContext, createElement, useContext, type ReactElement, type ReactNode } from 'react';
import { recentChangesOf } from './recent-changes.js';

const ClientContext = createContext<SyncClient | null>(null);

/** Gives the hooks below it their client. Whoever made the client connects and closes it. */
export function SyncProvider({ client, children }: { client: SyncClient; children: ReactNode }): ReactElement {
  // Changes are collected from here on, also while no component shows them.
  recentChangesOf(client);
  return createElement(ClientContext, { value: client }, children);
}

/** @throws Error outside a `SyncProvider` */
export function useSyncClient(): SyncClient {
  const client = useContext(ClientContext);
  if (client === null) throw new Error('Sync hooks need a <SyncProvider client={…}> above them.');
  return client;
}
