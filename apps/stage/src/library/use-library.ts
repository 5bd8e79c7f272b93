import { useConnection, useRows } from '@soleil/sync-react';
import type { Row } from '@soleil/sync-client';
import type { FileUpdate, Pitch } from '@soleil/sync-protocol';
import { useEffect, useMemo } from 'react';
import { useNow } from '../design/use-now.js';
import type { Band } from '../session/api.js';
import { useObservable, useStand } from '../session/use-session.js';
import { holdingsOf } from './holdings.js';
import { buildLibrary, type Library } from './library.js';

type FileRows = ReadonlyMap<string, Row<FileUpdate>>;

/** The files of all the user's bands, by key. */
export function useFileRows(): FileRows {
  const { channels } = useObservable(useStand().state);
  return useRows<FileUpdate>(channels, 'file_update');
}

/** The band on display: the one chosen last, else the first. Null for somebody without a band. */
export function useBand(): Band | null {
  const stand = useStand();
  const { bands } = useObservable(stand.state);
  const chosen = useObservable(stand.bandId);
  return bands.find(({ bandId }) => bandId === chosen) ?? bands[0] ?? null;
}

export function useBandFiles(): FileUpdate[] {
  const rows = useFileRows();
  const bandId = useBand()?.bandId;
  return useMemo(() => [...rows.values()].map(({ data }) => data).filter((file) => file.bandId === bandId), [rows, bandId]);
}

export function useLibrary(): Library {
  const rows = useFileRows();
  const bandId = useBand()?.bandId ?? '';
  const today = dateOf(useNow(60_000));
  return useMemo(() => buildLibrary([...rows.values()].map(({ data }) => data), bandId, today), [rows, bandId, today]);
}

/** Whether the band's rows are all there, as of some moment; false while a first visit still waits for them. */
export function useHasLibrary(): boolean {
  const { client } = useStand();
  const { state } = useConnection();
  const rows = useFileRows();
  return rows.size > 0 || state === 'live' || client.connection.lastSyncedAt !== null;
}

const transposing = ['Bb', 'Eb', 'F'] as const;

/**
 * The pitches besides concert that the user may want to read in: those of their instrument, told by the channels that they
 * follow; all, for a leader.
 */
export function useReadingPitches(): Pitch[] {
  const { channels } = useObservable(useStand().state);
  const band = useBand();
  return useMemo(() => {
    if (band === null) return [];
    return transposing.filter((pitch) => band.role === 'leader' || channels.includes(`band:${band.bandId}:${pitch}`));
  }, [channels, band]);
}

/** Puts what the library lists on this device, as long as there is a connection. */
export function useStocking(): void {
  const { shelf } = useStand();
  const { state } = useConnection();
  const rows = useFileRows();
  useEffect(() => {
    if (state === 'live') shelf.stock([...rows.values()].map(({ data }) => data));
  }, [shelf, state, rows]);
}

/** Tells the band which of their files are on this device. */
export function useReporting(): void {
  const { client, shelf, state } = useStand();
  const { channels } = useObservable(state);
  const held = useObservable(shelf.held);
  const isOpen = useObservable(shelf.isOpen);
  const rows = useFileRows();
  useEffect(() => {
    // What is not known to be here must not be called gone: it would seem to have come anew.
    if (!isOpen) return;
    for (const channel of channels) client.report(channel, holdingsOf(client.channel(channel).rows.values(), held));
  }, [client, channels, held, isOpen, rows]);
}

function dateOf(time: number): string {
  const date = new Date(time);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}
