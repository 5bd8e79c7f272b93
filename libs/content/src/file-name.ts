import type { ContentSummary, Pitch } from '@soleil/sync-protocol';
import { oneLine } from './text.js';

/** How the bytes of a file are to be read. */
export type Format = 'chordpro' | 'pdf' | 'audio' | 'setlist';

/** What a file's name says of it. */
export interface FileName {
  kind: ContentSummary['kind'];
  /** Null: no format that Content knows. */
  format: Format | null;
  /** Of the song or the setlist; the file's whole name where it fits no pattern. Never empty. */
  title: string;
  pitch: Pitch | null;
  /** A recording to learn from. */
  reference: boolean;
  /** Why the name fits no pattern. */
  misfit: 'kind_unknown' | 'name_unknown' | null;
}

const formats = new Map<string, Format>([
  ['cho', 'chordpro'],
  ['chopro', 'chordpro'],
  ['chordpro', 'chordpro'],
  ['crd', 'chordpro'],
  ['pro', 'chordpro'],
  ['pdf', 'pdf'],
  ['mp3', 'audio'],
  ['m4a', 'audio'],
  ['ogg', 'audio'],
  ['wav', 'audio'],
  ['flac', 'audio'],
  ['setlist', 'setlist'],
]);

const kinds = { chordpro: 'chart', pdf: 'part', audio: 'audio', setlist: 'setlist' } as const;

type Suffix = Pitch | 'placeholder' | 'reference';

const suffixes = new Map<string, Suffix>([
  ['bb', 'Bb'],
  ['eb', 'Eb'],
  ['f', 'F'],
  ['c', 'Concert'],
  ['concert', 'Concert'],
  ['x', 'placeholder'],
  ['reference', 'reference'],
]);

/**
 * Reads `SongTitle_Key.ext`, the way bands name their files: `All of Me_Bb.pdf` is the B♭ part, `Autumn Leaves_X.pdf` a
 * placeholder, `Blue Moon_Reference.mp3` a recording to learn from. What follows the last underscore is the key, in any
 * case. A chart or a recording needs none; a PDF does, as nobody could say who it is for. Folders mean nothing.
 */
export function readFileName(path: string): FileName {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const format = dot < 0 ? null : (formats.get(name.slice(dot + 1).toLowerCase()) ?? null);
  if (!format) return misfit(name, 'kind_unknown', null);
  const base = name.slice(0, dot);

  if (format === 'setlist') {
    return { kind: 'setlist', format, title: songTitle(base) || whole(name), pitch: null, reference: false, misfit: null };
  }
  const underscore = base.lastIndexOf('_');
  const suffix = underscore < 0 ? undefined : meaning(base.slice(underscore + 1), format);
  const title = songTitle(suffix ? base.slice(0, underscore) : base);
  if (!title || (format === 'pdf' && !suffix)) return misfit(name, 'name_unknown', format);

  const unpitched = format === 'audio' || suffix === 'placeholder' || suffix === 'reference';
  return {
    kind: suffix === 'placeholder' ? 'placeholder' : kinds[format],
    format,
    title,
    pitch: unpitched ? null : (suffix ?? 'Concert'),
    reference: suffix === 'reference',
    misfit: null,
  };
}

/** A song's title as people write it in names and setlists: underscores are spaces, spaces are single. */
export function songTitle(text: string): string {
  return oneLine(text.replaceAll('_', ' '));
}

function meaning(suffix: string, format: Format): Suffix | undefined {
  const found = suffixes.get(suffix.trim().toLowerCase().replace('♭', 'b'));
  return found === 'reference' && format !== 'audio' ? undefined : found;
}

function misfit(name: string, reason: 'kind_unknown' | 'name_unknown', format: Format | null): FileName {
  return { kind: 'unknown', format, title: whole(name), pitch: null, reference: false, misfit: reason };
}

function whole(name: string): string {
  return oneLine(name) || 'Unnamed file';
}
