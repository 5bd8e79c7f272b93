import type { Signalled } from '@soleil/sync-client';
import { useEffect, useRef } from 'react';
import { useSyncClient } from './provider.js';

/** Calls the newest `listener` with each signal of the channel, while the channel is followed and the component is there. */
export function useSignals(channel: string, listener: (signal: Signalled) => void): void {
  const client = useSyncClient();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(
    () =>
      client.onSignal((signal) => {
        if (signal.channel === channel) latest.current(signal);
      }),
    [client, channel],
  );
}
