import type { ReactNode } from 'react';
import { Icon } from '../design/icons.js';
import { hrefOf } from '../route.js';
import type { Entry } from './running-order.js';
import type { SetlistContext } from './use-setlist-place.js';

/** From song to song, at the thumb. */
export function SetlistBar({ context: { setlist, order, entry } }: { context: SetlistContext }): ReactNode {
  const hrefTo = ({ songId, index }: Entry): string =>
    hrefOf({ page: 'song', songId, place: { setlistId: setlist.file.fileId, index } });
  const before = order[entry.index - 1];
  const after = order[entry.index + 1];
  return (
    <nav className="setlist-bar" aria-label={`Setlist ${setlist.title}`}>
      {before === undefined ? (
        <span />
      ) : (
        <a href={hrefTo(before)} rel="prev">
          <Icon name="back" />
          <span className="setlist-bar-words">
            <span className="quiet">Before</span>
            <span className="setlist-bar-title">{before.title}</span>
          </span>
        </a>
      )}
      {after === undefined ? (
        <span className="setlist-bar-end quiet">Last song</span>
      ) : (
        <a href={hrefTo(after)} rel="next" className="setlist-bar-next">
          <span className="setlist-bar-words">
            <span className="quiet">{after.setName === entry.setName ? 'Next' : `Next, ${after.setName}`}</span>
            <span className="setlist-bar-title">{after.title}</span>
          </span>
          <Icon name="forward" />
        </a>
      )}
    </nav>
  );
}
