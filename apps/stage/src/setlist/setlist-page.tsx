import { useEffect, useState, type ReactNode } from 'react';
import { Header } from '../design/header.js';
import { Icon } from '../design/icons.js';
import { whyNot } from '../library/file-words.js';
import type { Library, Setlist } from '../library/library.js';
import { SongLink } from '../library/song-row.js';
import { useLibrary } from '../library/use-library.js';
import { hrefOf } from '../route.js';
import { useStand } from '../session/use-session.js';
import { runningOrder, setName, type Entry } from './running-order.js';
import { longDate } from './setlist-words.js';

/** A gig: what is played, in which order. */
export function SetlistPage({ fileId }: { fileId: string }): ReactNode {
  const library = useLibrary();
  const present = library.setlists.find(({ file }) => file.fileId === fileId);
  const [last, setLast] = useState<Setlist | undefined>(present);
  if (present !== undefined && present !== last) setLast(present);
  const setlist = present ?? last;
  useSeen(fileId, present);
  const reason = setlist === undefined ? null : whyNot(setlist.file);
  return (
    <>
      <Header
        title={setlist?.title ?? 'Setlist'}
        kicker={longDate(setlist?.date ?? null)}
        back={{ href: hrefOf({ page: 'library' }), label: 'Back to the library' }}
      />
      <main className="page setlist">
        {setlist === undefined && <p className="empty">This setlist is not in your library. It may have been removed.</p>}
        {setlist !== undefined && present === undefined && (
          <Warning>This setlist was removed from the band’s folder. You see it as it last was.</Warning>
        )}
        {reason !== null && <Warning>{reason}</Warning>}
        {setlist !== undefined && reason === null && <RunningOrder setlist={setlist} library={library} />}
      </main>
    </>
  );
}

/** Opening it takes its mark away, also when it changes while it is open. */
function useSeen(fileId: string, setlist: Setlist | undefined): void {
  const { news } = useStand();
  const hash = setlist?.file.hash;
  useEffect(() => {
    if (hash !== undefined) news.opened(fileId);
  }, [news, fileId, hash]);
  useEffect(() => news.reading(fileId), [news, fileId]);
}

function RunningOrder({ setlist, library }: { setlist: Setlist; library: Library }): ReactNode {
  const order = runningOrder(setlist);
  return (
    <>
      <div className="setlist-head">
        {setlist.venue !== null && <p className="setlist-venue">{setlist.venue}</p>}
        {setlist.note !== null && <p className="setlist-note">{setlist.note}</p>}
      </div>
      {setlist.sets.map((_, number) => {
        const entries = order.filter((entry) => entry.set === number);
        const name = setName(setlist, number);
        return (
          <section key={number} aria-label={name ?? 'Songs'}>
            {name !== null && (
              <h2>
                {name} <span className="quiet">{entries.length}</span>
              </h2>
            )}
            <ol className="entries" start={(entries[0]?.index ?? 0) + 1}>
              {entries.map((entry) => (
                <EntryRow key={entry.index} entry={entry} setlistId={setlist.file.fileId} library={library} />
              ))}
            </ol>
          </section>
        );
      })}
    </>
  );
}

function EntryRow({ entry, setlistId, library }: { entry: Entry; setlistId: string; library: Library }): ReactNode {
  const song = library.songsById.get(entry.songId);
  return (
    <li className="entry">
      <span className="entry-number" aria-hidden="true">
        {entry.index + 1}
      </span>
      {song === undefined ? (
        <span className="song-link song-missing">
          <span className="song-name">
            <span className="song-title">{entry.title}</span>
            <span className="song-by">{entry.note ?? 'Nothing of it is in your library'}</span>
          </span>
        </span>
      ) : (
        <SongLink song={song} place={{ setlistId, index: entry.index }}>
          {entry.note !== null && <span className="song-by">{entry.note}</span>}
        </SongLink>
      )}
    </li>
  );
}

function Warning({ children }: { children: ReactNode }): ReactNode {
  return (
    <p className="notice" role="status">
      <Icon name="warning" />
      <span>{children}</span>
    </p>
  );
}
