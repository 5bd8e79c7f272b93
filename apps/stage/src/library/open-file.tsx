import type { FileUpdate } from '@soleil/sync-protocol';
import { lazy, Suspense, useEffect, type ReactNode } from 'react';
import { Icon, type IconName } from '../design/icons.js';
import { relativeTime } from '../design/relative-time.js';
import { useNow } from '../design/use-now.js';
import { RecordingView } from '../recording/recording-view.js';
import { useStand } from '../session/use-session.js';
import { isOpenable, whyNot } from './file-words.js';
import { loadChartView, loadPartView } from './heavy.js';
import { useFileBytes, type FileBytes } from './use-file-bytes.js';

const ChartView = lazy(loadChartView);
const PartView = lazy(loadPartView);

const noticeMs = 60_000;

/** One file on display. What is shown stays, whatever happens to the file, until something better is here. */
export function OpenFile({ file, isRemoved }: { file: FileUpdate; isRemoved: boolean }): ReactNode {
  const { news } = useStand();
  const { kind } = file.content;
  const { shown, problem } = useFileBytes(file, kind !== 'audio' && isOpenable(file) && !isRemoved);
  const isSeen = kind === 'audio' || shown?.hash === file.hash;
  useEffect(() => {
    if (isSeen) news.opened(file.fileId);
  }, [news, isSeen, file]);
  useEffect(() => news.reading(file.fileId), [news, file.fileId]);
  return (
    <article className="open-file" aria-live="off">
      <div className="notices" role="status">
        {isRemoved && <Notice icon="warning">This file was removed from the band’s folder. You see it as it last was.</Notice>}
        {!isRemoved && !isOpenable(file) && <Notice icon="warning">The newest version cannot be shown: {whyNot(file)} You see the one before, if there was one.</Notice>}
        {!isRemoved && problem !== null && <Notice icon="off">{problem}</Notice>}
        {shown?.replacedAt != null && !isRemoved && <UpdatedNotice key={shown.hash} at={shown.replacedAt} />}
      </div>
      {kind === 'audio' ? <RecordingView file={file} /> : <Content file={file} shown={shown} isWaiting={problem === null && !isRemoved} />}
    </article>
  );
}

function Content({ file, shown, isWaiting }: { file: FileUpdate; shown: FileBytes | null; isWaiting: boolean }): ReactNode {
  if (shown === null) return isWaiting && isOpenable(file) ? <p className="empty">Opening …</p> : null;
  const isFresh = shown.replacedAt !== null;
  return (
    <Suspense fallback={<p className="empty">Opening …</p>}>
      {file.content.kind === 'chart' ? <ChartView file={file} shown={shown} isFresh={isFresh} /> : <PartView shown={shown} isFresh={isFresh} />}
    </Suspense>
  );
}

function Notice({ icon, children }: { icon: IconName; children: ReactNode }): ReactNode {
  return (
    <p className="notice">
      <Icon name={icon} />
      <span>{children}</span>
    </p>
  );
}

function UpdatedNotice({ at }: { at: number }): ReactNode {
  const now = useNow(15_000);
  if (now - at > noticeMs) return null;
  return (
    <p className="notice notice-good">
      <Icon name="live" />
      <span>Updated {relativeTime(at, now)}</span>
    </p>
  );
}
