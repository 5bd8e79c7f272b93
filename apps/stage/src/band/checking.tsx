import { bandChannel } from '@soleil/sync-protocol';
import { useConnection, useSignals } from '@soleil/sync-react';
import { useState, type ReactNode } from 'react';
import { useNow } from '../design/use-now.js';
import { checkingWords } from './operation-words.js';
import { progressIn, type Progress } from './operation.js';

/** What says nothing for this long may have ended unheard. */
const forgottenMs = 60_000;

/** A quiet line while every file of the band is checked. It is told by signals alone: none, no line. */
export function Checking({ bandId }: { bandId: string }): ReactNode {
  const [latest, setLatest] = useState<(Progress & { at: number }) | null>(null);
  const { state, since } = useConnection();
  const now = useNow(10_000);
  useSignals(bandChannel(bandId), ({ type, data }) => {
    const news = type === 'sync.progress' ? progressIn(data) : null;
    if (news?.mode !== 'full') return;
    if (news.status === 'running') setLatest({ ...news, at: Date.now() });
    else setLatest((before) => (before?.operationId === news.operationId ? null : before));
  });
  const isFresh = latest !== null && state === 'live' && latest.at >= since && now - latest.at < forgottenMs;
  return isFresh ? <p className="checking quiet">{checkingWords(latest)}</p> : null;
}
