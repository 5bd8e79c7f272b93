import type { ChannelSnapshot, SyncClient } from '@soleil/sync-client';
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { useSyncClient } from './provider.js';

/** One channel, now and after every change. It only looks: see {@link useFollow}. */
export function useChannel(name: string): ChannelSnapshot {
  const client = useSyncClient();
  const subscribe = useCallback((listener: () => void) => client.subscribe(name, listener), [client, name]);
  const snapshot = () => client.channel(name);
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

/**
 * Follows these channels; one that leaves the list is unfollowed. Unmounting unfollows nothing: what a device follows is a
 * matter of its user's rights, not of the page that happens to be open, and a song should be up to date before it is opened.
 */
export function useFollow(channels: readonly string[]): void {
  const client = useSyncClient();
  const last = useRef<{ client: SyncClient; channels: readonly string[] } | null>(null);
  useEffect(() => {
    const before = last.current?.client === client ? last.current.channels : [];
    for (const channel of before) if (!channels.includes(channel)) client.unfollow(channel);
    for (const channel of channels) if (!before.includes(channel)) client.follow(channel);
    last.current = { client, channels };
  }, [client, channels]);
}
