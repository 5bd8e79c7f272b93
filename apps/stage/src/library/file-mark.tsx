import type { ReactNode } from 'react';
import { relativeTime } from '../design/relative-time.js';
import { useNow } from '../design/use-now.js';
import { useObservable, useStand } from '../session/use-session.js';
import type { Mark } from './news.js';

/** The newest mark among these files; null where everything has been seen. */
export function useMark(fileIds: readonly string[]): Mark | null {
  const marks = useObservable(useStand().news.marks);
  return fileIds.map((fileId) => marks[fileId]).reduce<Mark | null>((latest, mark) => (mark && (latest === null || mark.at > latest.at) ? mark : latest), null);
}

/** "Changed 3 min ago", until it is opened. */
export function FileMark({ fileIds }: { fileIds: readonly string[] }): ReactNode {
  const mark = useMark(fileIds);
  return mark === null ? null : <MarkWords mark={mark} />;
}

function MarkWords({ mark: { kind, at } }: { mark: Mark }): ReactNode {
  const now = useNow(30_000);
  return (
    <span className="mark">
      <span className="mark-word">{kind === 'new' ? 'New' : 'Changed'}</span> <span className="mark-time">{relativeTime(at, now)}</span>
    </span>
  );
}
