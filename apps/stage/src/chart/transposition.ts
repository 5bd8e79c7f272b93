import type { Pitch } from '@soleil/sync-protocol';

/** A note's name apart from its octave: letter 0 (C) … 6 (B), and how many semitones it is raised. */
interface Note {
  letter: number;
  raised: number;
}

/** How far everything moves: by so many letters and so many semitones. Both matter: C up to D♭ is not C up to C♯. */
export interface Interval {
  letters: number;
  semitones: number;
}

const letters = 'CDEFGAB';
const naturals = [0, 2, 4, 5, 7, 9, 11];

/** For each semitone above C the name that a player wants to read a piece in. */
const majorKeys = ['C', 'Db', 'D', 'Eb', 'E', 'F', 'Gb', 'G', 'Ab', 'A', 'Bb', 'B'];
const minorKeys = ['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'G#', 'A', 'Bb', 'B'];

/** How far above the sound an instrument's notes are written. */
const writtenAbove: Record<Pitch, number> = { Concert: 0, Bb: 2, Eb: 9, F: 7 };

/** Semitones from what is written for one pitch to what is written for another, the nearest way: −5 … 6. */
export function semitonesBetween(from: Pitch, to: Pitch): number {
  const up = modulo(writtenAbove[to] - writtenAbove[from], 12);
  return up > 6 ? up - 12 : up;
}

/** The interval that takes a piece in `key` so many semitones up (or down), to a key that is pleasant to read. */
export function intervalFor(key: string, semitones: number): Interval {
  const tonic = parseNote(key);
  if (tonic === null || modulo(semitones, 12) === 0) return { letters: 0, semitones: 0 };
  const names = isMinor(key) ? minorKeys : majorKeys;
  const target = parseNote(names[modulo(pitchOf(tonic) + semitones, 12)]!)!;
  return { letters: modulo(target.letter - tonic.letter, 7), semitones: modulo(semitones, 12) };
}

/** `F#m7/C#` a minor third up: `Am7/E`. What is no chord, `N.C.`, comes back as it is. */
export function transposeChord(chord: string, interval: Interval): string {
  const parts = partsOf(chord);
  if (parts === null) return chord;
  const bass = parts.bass === null ? '' : `/${noteName(moved(parts.bass, interval))}`;
  return `${noteName(moved(parts.root, interval))}${parts.suffix}${bass}`;
}

/** With the signs of printed music: `B♭7(♯11)`. */
export function printedChord(chord: string): string {
  const parts = partsOf(chord);
  if (parts === null) return chord;
  const suffix = parts.suffix.replace(/b(?=\d)/g, '♭').replace(/#(?=\d)/g, '♯');
  const bass = parts.bass === null ? '' : `/${printed(parts.bass)}`;
  return `${printed(parts.root)}${suffix}${bass}`;
}

interface ChordParts {
  root: Note;
  suffix: string;
  bass: Note | null;
}

function partsOf(chord: string): ChordParts | null {
  const match = /^([A-H][#b♯♭]?)(.*?)(?:\/([A-H][#b♯♭]?))?$/.exec(chord);
  const root = parseNote(match?.[1] ?? '');
  if (match === null || root === null) return null;
  return { root, suffix: match[2] ?? '', bass: match[3] === undefined ? null : parseNote(match[3]) };
}

function parseNote(name: string): Note | null {
  const match = /^([A-H])([#b♯♭]?)/.exec(name);
  if (match === null) return null;
  // H is what B is called where German is spoken.
  const letter = letters.indexOf(match[1] === 'H' ? 'B' : match[1]!);
  const raised = match[2] === '#' || match[2] === '♯' ? 1 : match[2] === '' ? 0 : -1;
  return { letter, raised };
}

const isMinor = (key: string): boolean => /^[A-H][#b♯♭]?\s*(m(?!aj)|min|-)/.test(key);

const pitchOf = ({ letter, raised }: Note): number => modulo(naturals[letter]! + raised, 12);

function moved(note: Note, { letters: steps, semitones }: Interval): Note {
  const letter = modulo(note.letter + steps, 7);
  const pitch = modulo(pitchOf(note) + semitones, 12);
  const raised = modulo(pitch - naturals[letter]! + 6, 12) - 6;
  if (Math.abs(raised) <= 1) return { letter, raised };
  // Nobody wants to read B♭♭ at sight.
  return parseNote(majorKeys[pitch]!)!;
}

const noteName = ({ letter, raised }: Note): string => `${letters[letter]}${raised === 1 ? '#' : raised === -1 ? 'b' : ''}`;
const printed = (note: Note): string => noteName(note).replace('#', '♯').replace('b', '♭');

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
