import { useEffect, useState } from 'react';
import { ApiError, getJson } from '../session/api.js';
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

/** How Sync is doing, asked again every few seconds while somebody looks. `problem` says why it cannot be told; what was told last stays. */
export function useBandStatus(): { told: BandStatus | null; problem: string | null; refresh: () => void } {
  const [told, setTold] = useState<BandStatus | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (document.visibilityState === 'visible') {
          const [status, { operations }] = await Promise.all([
            getJson<Status>('/sync/status'),
            getJson<{ operations: Operation[] }>('/sync/operations?limit=20'),
          ]);
          if (isOver) return;
          setTold({ status, operations });
          setProblem(null);
        }
      } catch (error) {
        if (isOver) return;
        setProblem(error instanceof ApiError ? error.error.message : 'The state of Sync cannot be told right now.');
      }
      if (!isOver) timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [asked]);
  return { told, problem, refresh: () => setAsked((before) => before + 1) };
}
