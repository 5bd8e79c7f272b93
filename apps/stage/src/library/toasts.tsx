import { useEffect, type ReactNode } from 'react';
import { Icon } from '../design/icons.js';
import { hrefOf } from '../route.js';
import { useObservable, useStand } from '../session/use-session.js';
import type { Announcement } from './news.js';

const shownMs = 7_000;

/** Says what has just changed, to eyes and ears, and goes by itself. */
export function Toasts(): ReactNode {
  const { news } = useStand();
  const announcements = useObservable(news.announcements);
  return (
    <div className="toasts" role="status" aria-label="Changes">
      {announcements.map((announcement) => (
        <Toast key={announcement.id} announcement={announcement} dismiss={() => news.dismiss(announcement.id)} />
      ))}
    </div>
  );
}

function Toast({ announcement: { text, fileId, isThere }, dismiss }: { announcement: Announcement; dismiss: () => void }): ReactNode {
  useEffect(() => {
    const timer = setTimeout(dismiss, shownMs);
    return () => clearTimeout(timer);
    // It counts from when it appears, whatever is drawn again meanwhile.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return (
    <div className="toast">
      <span>{text}</span>
      {fileId !== null && isThere && (
        <a href={hrefOf({ page: 'file', fileId, place: null })} onClick={dismiss}>
          Open
        </a>
      )}
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={dismiss}>
        <Icon name="close" />
      </button>
    </div>
  );
}
