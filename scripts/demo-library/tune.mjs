// The melody notation of the demo library, `tunes/*.tune`.
//
//   title: Amazing Grace          header lines, up to the first empty one
//   ...
//                                 then blocks between empty lines; a block is one line of staff:
//   @ Chorus                      an optional label
//   D4q | [G] G4h B4e G4e |       notes, in concert pitch
//   w: A- maz- ing _              a verse, one word or syllable for each note (none for a tied one)
//
// A note is pitch, length and dot: `F#4q.`; lengths are w h q e s (whole to sixteenth), `r` for the
// pitch is a rest, `~` at the end ties into the next note. Accidentals are always written, whatever
// the key. `[G7]` is the chord from the next note on. `|` `||` `|]` are bar lines.
// A syllable that ends in `-` goes on in the next; `_` holds the syllable before.

import { parseChord, parsePitch } from './pitch.mjs';

export const QUARTER = 48;
const TICKS = { w: 192, h: 96, q: 48, e: 24, s: 12 };
const BARS = { '|': 'single', '||': 'double', '|]': 'final' };
const REQUIRED = ['title', 'composer', 'key', 'time', 'tempo', 'feel', 'parts', 'audio'];

/**
 * @typedef {{ ticks: number, syllables: (string | undefined)[], pitch: any, chord: any } & Record<string, unknown>} TuneEvent
 * @typedef {{ events: TuneEvent[] } & Record<string, unknown>} Measure
 * @typedef {{ title: string, time: { beats: number, unit: number }, tempo: number, swing: boolean, parts: string[],
 *   pickupTicks: number, systems: { measures: Measure[] }[], stamp?: string }} Tune
 */

/**
 * The tune as { title, composer, key, time, tempo, feel, swing, parts, audio, pickupTicks, systems }.
 * A system is { label, measures, verses }, a measure { events, bar, start } where `start` is the tick
 * within the bar at which it begins, an event { pitch, base, dotted, ticks, tied, held, chord, syllables }.
 * @throws Error that names the tune and the bar, when bars do not add up or syllables do not fit
 * @param {string} text
 * @returns {Tune}
 */
export function parseTune(text) {
  const [head, ...blocks] = text.trim().split(/\n\s*\n/);
  const tune = readHeader(head);
  try {
    tune.systems = blocks.map(readSystem);
    checkBars(tune);
  } catch (error) {
    throw new Error(`${tune.title}: ${error.message}`, { cause: error });
  }
  return tune;
}

export function barTicks({ beats, unit }) {
  return (beats * QUARTER * 4) / unit;
}

/** What a listener counts as one beat: a dotted quarter in 6/8, else a quarter. */
export function beatTicks({ unit }) {
  return unit === 8 ? QUARTER * 1.5 : QUARTER;
}

function readHeader(head) {
  const fields = Object.fromEntries(
    head.split('\n').map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
  for (const name of REQUIRED) {
    if (!fields[name]) throw new Error(`${fields.title ?? 'a tune'}: the header line "${name}:" is missing`);
  }
  const [beats, unit] = fields.time.split('/').map(Number);
  return {
    ...fields,
    time: { beats, unit },
    tempo: Number(fields.tempo),
    swing: fields.swing === 'yes',
    parts: fields.parts.split(/\s+/),
  };
}

function readSystem(block) {
  const lines = block.split('\n').map((line) => line.trim());
  const label =
    lines
      .find((line) => line.startsWith('@'))
      ?.slice(1)
      .trim() ?? null;
  const verses = lines.filter((line) => line.startsWith('w:')).map((line) => line.slice(2).trim().split(/\s+/));
  const music = lines.filter((line) => !/^(@|w:)/.test(line)).join(' ');
  const measures = readMeasures(music);
  const sung = markHeld(measures.flatMap((measure) => measure.events)).filter((event) => event.pitch && !event.held);
  verses.forEach((syllables, verse) => {
    if (syllables.length !== sung.length) {
      throw new Error(`"${syllables.slice(0, 4).join(' ')} …" has ${syllables.length} syllables for ${sung.length} notes`);
    }
    syllables.forEach((syllable, i) => {
      sung[i].syllables[verse] = syllable.replaceAll("'", '’');
    });
  });
  return { label, measures, verses: verses.length };
}

function readMeasures(music) {
  const measures = [];
  let events = [];
  let chord = null;
  for (const token of music.match(/\|[|\]]?|\[[^\]]+\]|[^\s|[\]]+/g)) {
    if (BARS[token]) {
      measures.push({ events, bar: BARS[token] });
      events = [];
    } else if (token.startsWith('[')) {
      chord = parseChord(token.slice(1, -1));
    } else {
      events.push({ ...readNote(token), chord, syllables: [] });
      chord = null;
    }
  }
  if (events.length > 0) throw new Error('a line of music must end in a bar line');
  return measures;
}

function readNote(token) {
  const match = /^(r|[A-G](?:#|b)*\d)([whqes])(\.?)(~?)$/.exec(token);
  if (!match) throw new Error(`"${token}" is no note`);
  if (match[1] === 'r' && match[2] === 's') throw new Error('a rest lasts an eighth at least');
  const dotted = match[3] === '.';
  return {
    pitch: match[1] === 'r' ? null : parsePitch(match[1]),
    base: match[2],
    dotted,
    ticks: TICKS[match[2]] * (dotted ? 1.5 : 1),
    tied: match[4] === '~',
    held: false,
  };
}

/** A note that only prolongs the one before it is `held`: it bears no syllable and no new sound. */
function markHeld(events) {
  events.forEach((event, i) => {
    if (!event.tied) return;
    if (!events[i + 1]?.pitch) throw new Error('a tie needs a note after it on the same line');
    events[i + 1].held = true;
  });
  return events;
}

function checkBars(tune) {
  const full = barTicks(tune.time);
  const measures = tune.systems.flatMap((system) => system.measures);
  const lengths = measures.map((measure) => measure.events.reduce((sum, event) => sum + event.ticks, 0));
  tune.pickupTicks = lengths[0] < full ? lengths[0] : 0;
  measures.forEach((measure, i) => {
    const isLast = i === measures.length - 1;
    const expected = i === 0 && tune.pickupTicks ? tune.pickupTicks : isLast ? full - tune.pickupTicks : full;
    if (lengths[i] !== expected) {
      throw new Error(
        `bar ${tune.pickupTicks ? i : i + 1} lasts ${lengths[i] / QUARTER} quarters, not ${expected / QUARTER}`,
      );
    }
    measure.start = i === 0 && tune.pickupTicks ? full - tune.pickupTicks : 0;
    measure.number = tune.pickupTicks ? i : i + 1;
  });
}
