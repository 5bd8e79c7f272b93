import { fileKey, type FileUpdate } from '@soleil/sync-protocol';
import { useState, type ReactNode } from 'react';
import { Header } from '../design/header.js';
import { Icon } from '../design/icons.js';
import { useWakeLock } from '../design/use-wake-lock.js';
import { Receipts } from '../receipts/receipts.js';
import { hrefOf, type SetlistPlace } from '../route.js';
import { SetlistBar } from '../setlist/setlist-bar.js';
import { useSetlistPlace } from '../setlist/use-setlist-place.js';
import { FileMark } from './file-mark.js';
import { distinctLabels, fileLabel, isOpenable, whyNot } from './file-words.js';
import { firstFile, type Song } from './library.js';
import { OpenFile } from './open-file.js';
import { iconOf } from './song-row.js';
import { useFileRows, useLibrary, useReadingPitches } from './use-library.js';

interface SongPageProps {
  songId: string;
  /** Null opens what suits the player best. */
  fileId: string | null;
  place: SetlistPlace | null;
}

/** A song's files, one of them open. */
export function SongPage({ songId, fileId, place }: SongPageProps): ReactNode {
  useWakeLock();
  const song = useLast(useLibrary().songsById.get(songId));
  const best = useFirstChoice(song);
  const openId = fileId ?? best;
  const row = useFileRows().get(fileKey(openId ?? ''));
  const present = row?.data;
  const shown = useLast(present?.fileId === openId ? present : undefined);
  const context = useSetlistPlace(song?.songId ?? songId, place);
  const back = context === null ? hrefOf({ page: 'library' }) : hrefOf({ page: 'setlist', fileId: context.setlist.file.fileId });
  const file = shown?.fileId === openId ? shown : undefined;
  return (
    <>
      <Header
        title={song?.title ?? 'Not in your library'}
        kicker={context === null ? song?.by : [`${context.entry.index + 1} of ${context.order.length}`, context.entry.setName, context.setlist.title].filter(Boolean).join(' · ')}
        back={{ href: back, label: context === null ? 'Back to the library' : `Back to ${context.setlist.title}` }}
      />
      <main className={`page song ${context === null ? '' : 'song-in-setlist'}`}>
        <div className="song-bar">
          {song !== undefined && <FileTabs song={song} openId={openId} place={place} />}
          {row !== undefined && <Receipts row={row} />}
        </div>
        {context?.entry.note && <p className="entry-note">{context.entry.note}</p>}
        {song !== undefined && <Unopenable song={song} />}
        {file !== undefined && <OpenFile key={file.fileId} file={file} isRemoved={present === undefined} />}
        {file === undefined && <p className="empty">{emptyWords(song)}</p>}
      </main>
      {context !== null && <SetlistBar context={context} />}
    </>
  );
}

/** What there was last, when there is nothing any more: what one plays from must not vanish under one's eyes. */
function useLast<Value>(value: Value | undefined): Value | undefined {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
}

/** Chosen once: a better file that arrives later gets its mark, and does not push away what is being read. */
function useFirstChoice(song: Song | undefined): string | null {
  const pitches = useReadingPitches();
  const [choice, setChoice] = useState<string | null>(null);
  const best = choice ?? (song === undefined ? null : (firstFile(song, pitches)?.fileId ?? null));
  if (best !== choice) setChoice(best);
  return best;
}

function FileTabs({ song, openId, place }: { song: Song; openId: string | null; place: SetlistPlace | null }): ReactNode {
  const files = song.files.filter(isOpenable);
  if (files.length < 2) return null;
  const labels = distinctLabels(files);
  return (
    <nav className="tabs" aria-label="Files of this song">
      {files.map((file, index) => (
        <a
          key={file.fileId}
          href={hrefOf({ page: 'file', fileId: file.fileId, place })}
          aria-current={file.fileId === openId ? 'page' : undefined}
          onClick={(event) => {
            // Going back leads out of the song, not through every tab that was looked at.
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            location.replace(hrefOf({ page: 'file', fileId: file.fileId, place }));
          }}
        >
          <Icon name={iconOf(file)} /> {labels[index]} <FileMark fileIds={[file.fileId]} />
        </a>
      ))}
    </nav>
  );
}

function Unopenable({ song }: { song: Song }): ReactNode {
  const files = song.files.filter((file) => !isOpenable(file));
  if (files.length === 0) return null;
  return (
    <ul className="unopenable" aria-label="Files that cannot be opened">
      {files.map((file: FileUpdate) => (
        <li key={file.fileId}>
          <Icon name={iconOf(file)} />
          <span>
            <strong>{fileLabel(file)}</strong> {whyNot(file)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function emptyWords(song: Song | undefined): string {
  if (song === undefined) return 'This song is not in your library. It may have been removed, or belong to another part of the band.';
  return song.files.some(isOpenable) ? 'This file is not in your library any more. The others are above.' : 'Nothing of this song can be opened yet.';
}
