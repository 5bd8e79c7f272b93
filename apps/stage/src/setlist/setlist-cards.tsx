import type { ReactNode } from 'react';
import { Icon } from '../design/icons.js';
import { FileMark } from '../library/file-mark.js';
import { whyNot } from '../library/file-words.js';
import type { Setlist } from '../library/library.js';
import { hrefOf } from '../route.js';
import { longDate, shortDate } from './setlist-words.js';

/** The gigs, the next one first. */
export function SetlistCards({ setlists }: { setlists: readonly Setlist[] }): ReactNode {
  if (setlists.length === 0) return null;
  return (
    <section aria-labelledby="setlists">
      <h2 id="setlists">Setlists</h2>
      <ul className="setlist-cards">
        {setlists.map((setlist) => (
          <li key={setlist.file.fileId}>
            <SetlistCard setlist={setlist} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function SetlistCard({ setlist }: { setlist: Setlist }): ReactNode {
  const { file, title, date, venue, songs } = setlist;
  const short = shortDate(date);
  const reason = whyNot(file);
  const body = (
    <>
      <span className="card-date" aria-hidden="true">
        {short === null ? (
          <Icon name="setlist" />
        ) : (
          <>
            <b>{short.day}</b> {short.month}
          </>
        )}
      </span>
      <span className="card-words">
        <span className="card-title">{title}</span>
        <span className="quiet">
          <span className="visually-hidden">{longDate(date)} </span>
          {reason ?? [venue, `${songs} ${songs === 1 ? 'song' : 'songs'}`].filter(Boolean).join(' · ')}
        </span>
        <FileMark fileIds={[file.fileId]} />
      </span>
    </>
  );
  return reason === null ? (
    <a className="setlist-card" href={hrefOf({ page: 'setlist', fileId: file.fileId })}>
      {body}
    </a>
  ) : (
    <div className="setlist-card setlist-card-broken">{body}</div>
  );
}
