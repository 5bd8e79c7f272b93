import { ChordLyricsPair, ChordProParser, Literal, Tag, type Line } from 'chordsheetjs';
import { intervalFor, printedChord, transposeChord, type Interval } from './transposition.js';

/** A chord over the syllables that are sung from it on. Either may be empty. */
export interface Syllable {
  chord: string;
  lyrics: string;
}

export type SheetLine =
  /** Words that must not be torn apart, each of one or more syllables. */
  | { kind: 'words'; words: Syllable[][] }
  /** Without a single chord or without a single word it needs no second row. */
  | { kind: 'remark'; text: string }
  /** Tablature and the like, where columns matter. */
  | { kind: 'literal'; text: string };

export interface Section {
  kind: 'verse' | 'chorus' | 'bridge' | 'other';
  label: string | null;
  lines: SheetLine[];
}

/** A chord chart, ready to be drawn. */
export interface Sheet {
  /** As transposed; null where the chart names none and has no chord. */
  key: string | null;
  sections: Section[];
}

/**
 * Reads a ChordPro chart and moves it by `semitones`.
 * @throws Error where the text is no ChordPro
 */
export function readSheet(text: string, semitones: number): Sheet {
  const song = new ChordProParser().parse(text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n'));
  const paragraphs = song.expandedBodyParagraphs;
  const key = song.getSingleMetadataValue('key') ?? firstChord(paragraphs.flatMap(({ lines }) => lines));
  const interval = key === null ? { letters: 0, semitones: 0 } : intervalFor(key, semitones);
  const sections = paragraphs.flatMap(({ lines }) => sectionsOf(lines, interval));
  return { key: key === null ? null : printedChord(transposeChord(key, interval)), sections };
}

/** A paragraph is one section, unless another kind of section begins in the middle of it. */
function sectionsOf(lines: Line[], interval: Interval): Section[] {
  const sections: Section[] = [];
  let open: { type: string; section: Section } | null = null;
  for (const line of lines) {
    const label = labelOf(line);
    if (open === null || open.type !== line.type || label !== null) {
      open = {
        type: line.type,
        section: { kind: kindOf(line.type), label: label ?? defaultLabels[line.type] ?? null, lines: [] },
      };
      sections.push(open.section);
    }
    open.section.lines.push(...sheetLines(line, interval));
  }
  return sections.filter(({ lines: drawn }) => drawn.length > 0);
}

function sheetLines(line: Line, interval: Interval): SheetLine[] {
  const drawn: SheetLine[] = [];
  const syllables: Syllable[] = [];
  for (const item of line.items) {
    if (item instanceof ChordLyricsPair) syllables.push(syllableOf(item, interval));
    else if (item instanceof Literal) drawn.push({ kind: 'literal', text: item.string });
    else if (item instanceof Tag && remarks.includes(item.name)) drawn.push({ kind: 'remark', text: item.value });
  }
  const words = wordsOf(syllables);
  if (words.length > 0) drawn.push({ kind: 'words', words });
  return drawn;
}

function syllableOf(pair: ChordLyricsPair, interval: Interval): Syllable {
  const chord =
    pair.chords === ''
      ? (pair.annotation ?? '')
      : pair.chord === null
        ? pair.chords
        : printedChord(transposeChord(pair.chords, interval));
  return { chord, lyrics: pair.lyrics ?? '' };
}

/** A word ends where a space follows; the chord in the middle of it must not be moved to the next line. */
function wordsOf(syllables: Syllable[]): Syllable[][] {
  const words: Syllable[][] = [];
  let word: Syllable[] = [];
  for (const syllable of syllables.flatMap(bySpaces)) {
    if (syllable.chord === '' && syllable.lyrics === '') continue;
    word.push(syllable);
    if (/\s$/.test(syllable.lyrics) || syllable.lyrics === '') {
      words.push(word);
      word = [];
    }
  }
  if (word.length > 0) words.push(word);
  return words;
}

/** A chord stands over the first word that is sung to it; the words after it are free to go to the next line. */
function bySpaces({ chord, lyrics }: Syllable): Syllable[] {
  return lyrics.split(/(?<=\s)(?=\S)/).map((piece, index) => ({ chord: index === 0 ? chord : '', lyrics: piece }));
}

function firstChord(lines: Line[]): string | null {
  for (const { items } of lines) {
    for (const item of items)
      if (item instanceof ChordLyricsPair && item.chord !== null && item.chords !== '') return item.chords;
  }
  return null;
}

/** What a section is called where it begins; null where none begins, or it has no name. */
function labelOf(line: Line): string | null {
  const start = line.items.find((item): item is Tag => item instanceof Tag && item.isSectionStart());
  return start?.label || null;
}

const defaultLabels: Record<string, string> = { chorus: 'Chorus', bridge: 'Bridge' };
const remarks = ['comment', 'comment_italic', 'comment_box', 'highlight'];

const kindOf = (type: string): Section['kind'] =>
  type === 'verse' || type === 'chorus' || type === 'bridge' ? type : 'other';
