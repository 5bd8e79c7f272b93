import { bandChannel } from '@soleil/sync-protocol';
import { useConnection, useSignals } from '@soleil/sync-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { getJson } from '../session/api.js';
import { useAsked, type Asked } from '../session/use-asked.js';
import { advanced, isOpen, progressIn, type Operation, type Progress } from './operation.js';

/** Of each list the newest, so many at most. */
export const mostListed = 50;
const finishedChecks = 3;

/** What Sync does for a band. */
export interface Queue {
  /** On the whole band: those not finished, and the latest that are. */
  checks: Operation[];
  /** Files that somebody works on, and those that failed and are tried again. */
  files: Operation[];
  /** Those that nothing happens to unless somebody decides. */
  dead: Operation[];
}

/** Follows the band's queue: it is asked for when a signal says that it looks otherwise, and after signals may have been missed. */
export function useOperations(bandId: string): Asked<Queue> {
  const ask = useCallback(() => askQueue(bandId), [bandId]);
  const { told, problem, refresh } = useAsked(ask, 'What Sync is doing cannot be told right now.');
  const [progress, setProgress] = useState<ReadonlyMap<string, Progress>>(new Map());
  useSignals(bandChannel(bandId), ({ type, data }) => {
    const news = type === 'sync.progress' ? progressIn(data) : null;
    if (news !== null) setProgress((before) => new Map(before).set(news.operationId, news));
    if (news !== null || type === 'sync.operations') refresh();
  });
  const { state } = useConnection();
  useEffect(() => {
    if (state === 'live') refresh();
  }, [state, refresh]);
  const queue = useMemo(
    () => told && { ...told, checks: told.checks.map((check) => advanced(check, progress.get(check.id))) },
    [told, progress],
  );
  return { told: queue, problem, refresh };
}

async function askQueue(bandId: string): Promise<Queue> {
  const list = async (query: Record<string, string>): Promise<Operation[]> => {
    const search = new URLSearchParams({ bandId, limit: String(mostListed), ...query });
    return (await getJson<{ operations: Operation[] }>(`/sync/operations?${search}`)).operations;
  };
  const [checks, running, failed, dead] = await Promise.all([
    list({ kind: 'band' }),
    list({ kind: 'file', status: 'running' }),
    list({ kind: 'file', status: 'failed' }),
    list({ status: 'dead' }),
  ]);
  const finished = checks.filter(({ status }) => status === 'completed' || status === 'cancelled');
  return { checks: [...checks.filter(isOpen), ...finished.slice(0, finishedChecks)], files: [...running, ...failed], dead };
}
