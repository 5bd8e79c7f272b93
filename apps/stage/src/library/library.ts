import type { FileUpdate, SetlistSummary } from '@soleil/sync-protocol';
import { isOpenable } from './file-words.js';

export interface Song {
  songId: string;
  title: string;
  /** Who is known for it; the composer where no artist is named. */
  by: string | null;
  key: string | null;
  /** Beats per minute. */
  tempo: number | null;
  time: string | null;
  /** Charts, then parts, then recordings; at least one. */
  files: FileUpdate[];
}

export interface Setlist {
  file: FileUpdate;
  title: string;
  /** ISO 8601 date. */
  date: string | null;
  venue: string | null;
  note: string | null;
  sets: SetlistSummary['sets'];
  /** Over all sets. */
  songs: number;
}

/** One band's repertoire as this user's devices have it. */
export interface Library {
  /** By title, without regard to case and accents. */
  songs: Song[];
  songsById: ReadonlyMap<string, Song>;
  /** Those to come, the next first; then those without a date; then those that were, the last first. */
  setlists: Setlist[];
  /** Files that fit no name; for leaders. By path. */
  unsorted: FileUpdate[];
}

/** @param today ISO 8601 date: setlists before it have been played */
export function buildLibrary(files: Iterable<FileUpdate>, bandId: string, today: string): Library {
  const bySong = new Map<string, FileUpdate[]>();
  const setlists: Setlist[] = [];
  const unsorted: FileUpdate[] = [];
  for (const file of files) {
    if (file.bandId !== bandId) continue;
    const { kind, songId } = file.content;
    if (kind === 'setlist') setlists.push(setlistOf(file));
    else if (songId === null) unsorted.push(file);
    else bySong.set(songId, [...(bySong.get(songId) ?? []), file]);
  }
  const songs = [...bySong].map(([songId, own]) => songOf(songId, own)).sort((a, b) => compare(a.title, b.title));
  return {
    songs,
    songsById: new Map(songs.map((song) => [song.songId, song])),
    setlists: setlists.sort((a, b) => bySetlistDate(a, b, today)),
    unsorted: unsorted.sort((a, b) => compare(a.path, b.path)),
  };
}

/** The songs in which every word of `query` begins some word of title, artist or composer. */
export function searchSongs(songs: readonly Song[], query: string): Song[] {
  const wanted = wordsOf(query);
  return songs.filter((song) => {
    const charts = song.files.map(({ content }) => content.chart);
    const known = wordsOf([song.title, song.by, ...charts.flatMap((chart) => [chart?.artist, chart?.composer])].join(' '));
    return wanted.every((word) => known.some((candidate) => candidate.startsWith(word)));
  });
}

/** The letter a song stands under; `#` where its title begins with none. */
export function initialOf(song: Song): string {
  const first = folded(song.title).match(/[\p{L}\p{N}]/u)?.[0] ?? '#';
  return /\p{L}/u.test(first) ? first.toUpperCase() : '#';
}

/**
 * The file to open first: what is written for the player's own pitch, then the chart, then any part, then a recording.
 * Null where nothing can be opened.
 */
export function firstFile(song: Song, pitches: readonly string[]): FileUpdate | null {
  const rank = ({ content }: FileUpdate): number => {
    const isOwn = content.pitch !== null && pitches.includes(content.pitch);
    if (content.kind === 'audio') return 4;
    if (isOwn) return content.kind === 'part' ? 0 : 1;
    return content.kind === 'chart' ? 2 : 3;
  };
  return song.files.filter(isOpenable).sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

function songOf(songId: string, unordered: FileUpdate[]): Song {
  const files = unordered.sort((a, b) => order(a) - order(b) || compare(a.path, b.path));
  const charts = files.filter(({ content }) => content.kind === 'chart' && content.readable);
  // What the concert chart says of the song holds for everybody; a transposed one has another key.
  const chart = charts.find(({ content }) => content.audience === null) ?? charts[0];
  const summary = chart?.content.chart;
  return {
    songId,
    title: (chart ?? files[0])?.content.title ?? songId,
    by: summary?.artist ?? summary?.composer ?? null,
    key: summary?.key ?? null,
    tempo: summary?.tempo ?? null,
    time: summary?.time ?? null,
    files,
  };
}

function setlistOf(file: FileUpdate): Setlist {
  const { setlist, title } = file.content;
  const sets = setlist?.sets ?? [];
  const songs = sets.reduce((sum, set) => sum + set.entries.length, 0);
  return { file, title, date: setlist?.date ?? null, venue: setlist?.venue ?? null, note: setlist?.note ?? null, sets, songs };
}

function bySetlistDate(a: Setlist, b: Setlist, today: string): number {
  const group = ({ date }: Setlist): number => (date === null ? 1 : date.slice(0, 10) >= today ? 0 : 2);
  const byDate = (a.date ?? '').localeCompare(b.date ?? '');
  return group(a) - group(b) || (group(a) === 2 ? -byDate : byDate) || compare(a.title, b.title);
}

const kinds: FileUpdate['content']['kind'][] = ['chart', 'part', 'audio', 'placeholder', 'setlist', 'unknown'];
const order = ({ content }: FileUpdate): number => kinds.indexOf(content.kind);

const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true, ignorePunctuation: true });
const compare = (a: string, b: string): number => collator.compare(a, b);

const folded = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
const wordsOf = (text: string): string[] => folded(text).replace(/['’]/g, '').match(/[\p{L}\p{N}]+/gu) ?? [];
