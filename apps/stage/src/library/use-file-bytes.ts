import { useConnection } from '@soleil/sync-react';
import type { FileUpdate } from '@soleil/sync-protocol';
import { useEffect, useState } from 'react';
import { ApiError } from '../session/api.js';
import { useStand } from '../session/use-session.js';

export interface FileBytes {
  bytes: Uint8Array<ArrayBuffer>;
  hash: string;
  /** When it took the place of another content that was on display, in milliseconds; null for the first. */
  replacedAt: number | null;
}

const retryMs = 3_000;

/**
 * A file's content, and after every change the new one as soon as it is here; until then what was there before.
 * `problem`: why the present content is not there, in a sentence.
 */
export function useFileBytes(file: FileUpdate, isWanted: boolean): { shown: FileBytes | null; problem: string | null } {
  const { shelf } = useStand();
  const { state } = useConnection();
  const [shown, setShown] = useState<FileBytes | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [attempt, setAttempt] = useState(0);
  const { fileId, hash, revision } = file;
  const isHere = shown?.hash === hash;
  const isLive = state === 'live';
  useEffect(() => {
    if (!isWanted || isHere) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      try {
        const bytes = await shelf.read(file, { signal: abort.signal });
        if (abort.signal.aborted) return;
        setFailure(null);
        setShown((before) => ({ bytes, hash, replacedAt: before === null ? null : Date.now() }));
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setFailure(error);
        if (error.error.retryable) timer = setTimeout(() => setAttempt((before) => before + 1), retryMs);
      }
    };
    void read();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
    // A connection that has come back is a reason to try again; another object for the same revision is none.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shelf, fileId, hash, revision, isWanted, isHere, isLive, attempt]);
  return { shown, problem: isHere || failure === null ? null : sentenceOf(failure, shown !== null) };
}

function sentenceOf({ error, isUnreachable }: ApiError, hasOlder: boolean): string {
  if (isUnreachable) {
    return hasOlder
      ? 'There is a newer version. It is fetched as soon as there is a connection; this is the one before.'
      : 'This file is not on this device yet. It opens as soon as there is a connection.';
  }
  if (error.code === 'revision_gone') return 'A newer version has just come in and is on its way.';
  return `${error.message} ${error.remedy}`.trim();
}
