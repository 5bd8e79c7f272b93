import { getJson } from '../session/api.js';
import type { Asked } from '../session/use-asked.js';
import { usePolled } from '../session/use-polled.js';

export interface Connected {
  userId: string;
  displayName: string;
  deviceId: string;
  connectedAt: string;
  lastSeenAt: string;
  channels: string[];
  /** Bytes sent and not yet acknowledged. */
  unacknowledgedBytes: number;
}

/** Since when and until when nothing of a band begins, and why. */
export interface Paused {
  since: string;
  until: string;
  message: string;
}

export interface BandStatus {
  sequencer: { inOffice: boolean; waiting: number };
  bands: {
    bandId: string;
    files: number;
    lastSyncAt: string | null;
    operations: Record<string, number | undefined>;
    paused: Paused | null;
  }[];
  connections: Connected[];
}

const everyMs = 3_000;

const ask = (): Promise<BandStatus> => getJson<BandStatus>('/sync/status');

/** How Sync is doing. No signal tells of devices, so it is asked again and again. */
export const useBandStatus = (): Asked<BandStatus> => usePolled(ask, everyMs, 'The state of Sync cannot be told right now.');
