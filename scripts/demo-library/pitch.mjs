// Spelled pitches. A pitch is { step, alter, octave }: step 0..6 for C..B, alter in
// semitones, octave as in scientific notation (C4 is middle C). Moving by a spelled
// interval keeps the spelling right, which moving by semitones alone would not.

const LETTERS = 'CDEFGAB';
const SEMITONES = [0, 2, 4, 5, 7, 9, 11];
const SHARP_ORDER = [3, 0, 4, 1, 5, 2, 6];
const FIFTHS_OF_STEP = [0, 2, 4, -1, 1, 3, 5];
const SIGNS = { '': 0, '#': 1, '##': 2, b: -1, bb: -2 };

/** Semitones above C-1, as MIDI counts them. */
export function midiOf({ step, alter, octave }) {
  return (octave + 1) * 12 + SEMITONES[step] + alter;
}

/** Staff steps above C0: neighbors on the staff differ by one. */
export function staffStepOf({ step, octave }) {
  return octave * 7 + step;
}

/** `F#4`, `Bb3`. @throws Error when the text is no pitch */
export function parsePitch(text) {
  const match = /^([A-G])(##|#|bb|b|)(\d)$/.exec(text);
  if (!match) throw new Error(`"${text}" is no pitch`);
  return { step: LETTERS.indexOf(match[1]), alter: SIGNS[match[2]], octave: Number(match[3]) };
}

/** The pitch an `interval` of { steps, semitones } higher, or lower where both are negative. */
export function movePitch(pitch, { steps, semitones }) {
  const staffStep = staffStepOf(pitch) + steps;
  const step = ((staffStep % 7) + 7) % 7;
  const natural = { step, alter: 0, octave: Math.floor(staffStep / 7) };
  return { ...natural, alter: midiOf(pitch) + semitones - midiOf(natural) };
}

/** A chord symbol as { root, quality, bass }; root and bass are names such as `F#`, bass may be null. */
export function parseChord(text) {
  const match = /^([A-G](?:#|b)?)([^/]*)(?:\/([A-G](?:#|b)?))?$/.exec(text);
  if (!match) throw new Error(`"${text}" is no chord`);
  return { root: match[1], quality: match[2], bass: match[3] ?? null };
}

export function moveChord({ root, quality, bass }, interval) {
  return { root: moveName(root, interval), quality, bass: bass && moveName(bass, interval) };
}

/** Sharps of a key (flats count negative): `G` 1, `Bb` -2, `Em` 1. */
export function fifthsOfKey(key) {
  const minor = key.endsWith('m');
  const { step, alter } = parsePitch(`${minor ? key.slice(0, -1) : key}4`);
  return FIFTHS_OF_STEP[step] + alter * 7 - (minor ? 3 : 0);
}

export function moveKey(key, interval) {
  const minor = key.endsWith('m');
  return moveName(minor ? key.slice(0, -1) : key, interval) + (minor ? 'm' : '');
}

/** The steps a key signature alters, in the order they are written, and by how much. */
export function signatureOf(fifths) {
  const order = fifths >= 0 ? SHARP_ORDER : [...SHARP_ORDER].reverse();
  return order.slice(0, Math.abs(fifths)).map((step) => ({ step, alter: Math.sign(fifths) }));
}

function moveName(name, interval) {
  const { step, alter } = movePitch(parsePitch(`${name}4`), interval);
  return LETTERS[step] + (alter < 0 ? 'b' : '#').repeat(Math.abs(alter));
}
