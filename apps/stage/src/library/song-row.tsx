import type { FileUpdate, Pitch } from '@soleil/sync-protocol';
import { memo, type ReactNode } from 'react';
import { printedChord } from '../chart/transposition.js';
import { Icon, type IconName } from '../design/icons.js';
import { hrefOf, type SetlistPlace } from '../route.js';
import { FileMark } from './file-mark.js';
import { isBroken, isOpenable, pitchName, standing } from './file-words.js';
import type { Song } from './library.js';

/** One song of the list. @param initial the letter that begins here */
export const SongRow = memo(function SongRow({ song, initial }: { song: Song; initial: string | null }): ReactNode {
  return (
    <li className="song-row">
      <span className="initial" aria-hidden="true">
        {initial}
      </span>
      <SongLink song={song} place={null} />
    </li>
  );
});

/** A song as a link: its title, what it is played in, and what there is of it. */
export function SongLink({ song, place, children }: { song: Song; place: SetlistPlace | null; children?: ReactNode }): ReactNode {
  const { songId, title, by, key, tempo, time, files } = song;
  return (
    <a className="song-link" href={hrefOf({ page: 'song', songId, place })}>
      <span className="song-name">
        <span className="song-title">{title}</span>
        {children ?? (by !== null && <span className="song-by">{by}</span>)}
        <FileMark fileIds={files.map(({ fileId }) => fileId)} />
      </span>
      <span className="song-facts">
        {key !== null && (
          <span className="song-key">
            <span className="visually-hidden">Key </span>
            {printedChord(key)}
          </span>
        )}
        <span className="song-tempo">
          {tempo !== null && <>♩ {tempo}</>}
          {time !== null && <span className="song-time"> {time}</span>}
        </span>
      </span>
      <span className="song-files">
        <Badge files={files.filter(({ content }) => content.kind === 'chart')} />
        <Badge files={files.filter(({ content }) => content.kind === 'part' || content.kind === 'placeholder')} />
        <Badge files={files.filter(({ content }) => content.kind === 'audio')} />
      </span>
    </a>
  );
}

const icons: Record<FileUpdate['content']['kind'], IconName> = {
  chart: 'chart',
  part: 'part',
  audio: 'audio',
  setlist: 'setlist',
  placeholder: 'placeholder',
  unknown: 'warning',
};

export const iconOf = (file: FileUpdate): IconName => (isBroken(file) && file.content.kind !== 'setlist' ? 'warning' : icons[file.content.kind]);

/** What there is of one kind, in one place of the line, so that the eye can run down the list. */
function Badge({ files }: { files: readonly FileUpdate[] }): ReactNode {
  const first = files.find(isOpenable) ?? files[0];
  if (first === undefined) return <span />;
  const hasBroken = files.some(isBroken);
  return (
    <span className={`badge ${hasBroken ? 'badge-broken' : ''}`} title={files.map(standing).join(', ')}>
      <Icon name={hasBroken ? 'warning' : iconOf(first)} />
      {first.content.kind === 'part' && <span aria-hidden="true">{files.map(({ content }) => shortPitch(content.pitch)).join(' ')}</span>}
      <span className="visually-hidden">{files.map(standing).join(', ')}</span>
    </span>
  );
}

const shortPitch = (pitch: Pitch | null): string => (pitch === null ? '' : pitch === 'Concert' ? 'C' : pitchName(pitch));
