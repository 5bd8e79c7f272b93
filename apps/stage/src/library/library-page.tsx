import type { FileUpdate } from '@soleil/sync-protocol';
import { useDeferredValue, useMemo, type ReactNode } from 'react';
import { Checking } from '../band/checking.js';
import { Header } from '../design/header.js';
import { Icon } from '../design/icons.js';
import { Observable } from '../session/observable.js';
import { useObservable } from '../session/use-session.js';
import { SetlistCards } from '../setlist/setlist-cards.js';
import { fileName, whyNot } from './file-words.js';
import { initialOf, searchSongs, type Song } from './library.js';
import { SongRow } from './song-row.js';
import { useBand, useHasLibrary, useLibrary } from './use-library.js';

/** Stays while one looks into a song and comes back. */
const query = new Observable('');

export function LibraryPage(): ReactNode {
  const band = useBand();
  const { songs, setlists, unsorted } = useLibrary();
  const asked = useObservable(query);
  const found = useFound(songs, asked);
  const hasLibrary = useHasLibrary();
  return (
    <>
      <Header title={band?.name ?? 'SOLEil'} kicker={band?.instrument} />
      <main className="page library">
        {band !== null && <Checking key={band.bandId} bandId={band.bandId} />}
        <SetlistCards setlists={setlists} />
        <section aria-labelledby="songs">
          <div className="section-head">
            <h2 id="songs">Songs</h2>
            <Search count={found.length} of={songs.length} />
          </div>
          {found.length > 0 ? <SongList songs={found} /> : <Nothing hasLibrary={hasLibrary} asked={asked} hasBand={band !== null} />}
        </section>
        <Unsorted files={unsorted} />
      </main>
    </>
  );
}

function useFound(songs: readonly Song[], asked: string): readonly Song[] {
  const deferred = useDeferredValue(asked);
  return useMemo(() => searchSongs(songs, deferred), [songs, deferred]);
}

function Search({ count, of }: { count: number; of: number }): ReactNode {
  const asked = useObservable(query);
  return (
    <div className="search">
      <Icon name="search" />
      <input
        type="search"
        aria-label="Search songs"
        placeholder={`Search ${of} songs`}
        autoComplete="off"
        spellCheck={false}
        value={asked}
        onChange={({ target }) => query.set(target.value)}
        onKeyDown={({ key }) => key === 'Escape' && query.set('')}
      />
      <span className="visually-hidden" role="status">
        {asked.trim() === '' ? '' : `${count} of ${of} songs`}
      </span>
    </div>
  );
}

function SongList({ songs }: { songs: readonly Song[] }): ReactNode {
  return (
    <ol className="songs">
      {songs.map((song, index) => {
        const before = songs[index - 1];
        const initial = initialOf(song);
        const isFirst = before === undefined || initialOf(before) !== initial;
        return <SongRow key={song.songId} song={song} initial={isFirst ? initial : null} />;
      })}
    </ol>
  );
}

function Nothing({ hasLibrary, asked, hasBand }: { hasLibrary: boolean; asked: string; hasBand: boolean }): ReactNode {
  if (!hasBand) return <p className="empty">You are in no band yet. Ask a leader of your band to add you.</p>;
  if (asked.trim() !== '' && hasLibrary) return <p className="empty">No song has “{asked.trim()}” in its title, artist or composer.</p>;
  if (!hasLibrary) return <p className="empty">Waiting for your library …</p>;
  return <p className="empty">Nothing is here yet. Songs appear by themselves once they are in the band’s folder.</p>;
}

/** For leaders: what lies in the folder and fits nowhere. */
function Unsorted({ files }: { files: readonly FileUpdate[] }): ReactNode {
  if (files.length === 0) return null;
  return (
    <section aria-labelledby="unsorted" className="unsorted">
      <h2 id="unsorted">Files without a place</h2>
      <p className="quiet">Only leaders see these. They lie in the band’s folder, and nobody else gets them.</p>
      <ul>
        {files.map((file) => (
          <li key={file.fileId}>
            <Icon name="warning" />
            <span>
              {fileName(file.path)} <span className="quiet">{whyNot(file)}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
