import { getJson } from '../session/api.js';
import { usePolled, type Polled } from '../session/use-polled.js';
import type { Operation } from './operation-words.js';

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

interface Status {
  sequencer: { inOffice: boolean; waiting: number };
  bands: { bandId: string; files: number; lastSyncAt: string | null; operations: Record<string, number | undefined> }[];
  connections: Connected[];
}

export interface BandStatus {
  status: Status;
  operations: Operation[];
}

const everyMs = 3_000;

async function ask(): Promise<BandStatus> {
  const [status, { operations }] = await Promise.all([
    getJson<Status>('/sync/status'),
    getJson<{ operations: Operation[] }>('/sync/operations?limit=20'),
  ]);
  return { status, operations };
}

/** How Sync is doing. */
export const useBandStatus = (): Polled<BandStatus> =>
  usePolled(ask, everyMs, 'The state of Sync cannot be told right now.');
