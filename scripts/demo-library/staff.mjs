// One line of staff: lays its signs out (`layStaff`), then draws them (`drawStaff`).
// Heights are counted in staff spaces above the bottom line until they meet the page.

import { accidentalsOf, beamGroups, shapeBeam, stemOf } from './notes.mjs';
import { ACCIDENTALS, HEADS, RESTS } from './glyphs.mjs';
import { drawLyrics, wordOf } from './lyrics.mjs';
import { drawChord, chordWidth } from './chord-symbol.mjs';
import { drawCurves } from './curves.mjs';
import { signatureOf } from './pitch.mjs';
import { textWidth } from './fonts.mjs';
import { place, springOf } from './spacing.mjs';

export const CHORD_SIZE = 12;
export const LYRIC_SIZE = 10.5;
const LINE = 0.1;
const STEM = 0.12;
const BEAM = 0.5;
// Where the signs of a signature stand on the staff, as half spaces above the bottom line.
const SHARP_HEIGHTS = { 3: 8, 0: 5, 4: 9, 1: 6, 5: 3, 2: 7, 6: 4 };
const FLAT_HEIGHTS = { 6: 4, 2: 7, 5: 3, 1: 6, 4: 2, 0: 5, 3: 1 };

/**
 * The laid-out line: { notes, bars, above, below, … }; `above` and `below` say how many points it needs
 * over and under the bottom staff line.
 * @param options { left, right, space (points), fifths, time, isFirst }
 */
export function layStaff(system, options) {
  const { space, left, right } = options;
  const notes = system.measures.flatMap((measure) => measureNotes(measure, options));
  const columns = [];
  system.measures.forEach((measure) => {
    notes.filter((note) => note.measure === measure).forEach((note) => columns.push(noteColumn(note, space)));
    columns.push({ left: 0.4 * space, right: 1.1 * space, spring: 0, chordWidth: 0, words: [], bar: measure.bar });
  });
  columns.at(-1).right = 0;
  const xs = place(columns, left + headWidth(options), right - (columns.at(-1).bar === 'final' ? 0.25 * space : 0));
  const bars = [];
  columns.forEach((column, i) => {
    if (column.note) column.note.x = xs[i];
    else bars.push({ x: xs[i], kind: column.bar });
  });
  const beams = beamGroups(notes, options.time).map((group) => shapeBeam(group, space));
  const top = Math.max(4, ...notes.map((note) => note.top));
  const bottom = Math.min(0, ...notes.map((note) => note.bottom));
  const chordLine = Math.max(5.5, top + 0.9) * space;
  const lyricLine = Math.min(-1, bottom - 0.4) * space - LYRIC_SIZE;
  return {
    system,
    options,
    notes,
    bars,
    beams,
    chordLine,
    lyricLine,
    above: chordLine + CHORD_SIZE + (system.label ? 17 : 0),
    below: -lyricLine + Math.max(0, system.verses - 1) * (LYRIC_SIZE + 2.5) + 3,
  };
}

/** Draws what `layStaff` gave, with the bottom staff line at `y`. */
export function drawStaff(canvas, staff, y) {
  const { options, system } = staff;
  const { space, left, right } = options;
  for (let line = 0; line < 5; line += 1) canvas.line(left, y + line * space, right, y + line * space, LINE * space);
  drawHead(canvas, options, y);
  staff.bars.forEach((bar) => drawBar(canvas, bar, y, space));
  staff.notes.forEach((note) => drawNote(canvas, note, y, space));
  staff.beams.forEach((beam) => drawBeam(canvas, beam, y, space));
  drawCurves(canvas, staff.notes, y, space);
  staff.notes
    .filter((note) => note.event.chord)
    .forEach((note) => drawChord(canvas, note.event.chord, note.x - 0.55 * space, y + staff.chordLine, CHORD_SIZE));
  drawLyrics(canvas, staff, y + staff.lyricLine, LYRIC_SIZE);
  if (system.label) drawLabel(canvas, system.label, left, y + staff.chordLine + CHORD_SIZE + 5);
  const first = system.measures[0].number;
  if (!options.isFirst) canvas.text(String(first), left, y + 5.9 * space, 'TimesItalic', 8.5);
}

function measureNotes(measure, { fifths }) {
  const shown = accidentalsOf(measure, fifths);
  let at = measure.start;
  return measure.events.map((event, i) => {
    const note = { event, measure, at, accidental: shown[i], ...stemOf(event) };
    at += event.ticks;
    return note;
  });
}

function noteColumn(note, space) {
  const { event } = note;
  const flagged = note.stem && note.flags > 0;
  return {
    note,
    left: (note.accidental === null ? 0.7 : 1.85) * space,
    right: (event.dotted ? 1.5 : flagged ? 1.3 : 0.85) * space,
    spring: springOf(event.ticks) * space,
    chordWidth: event.chord ? chordWidth(event.chord, CHORD_SIZE) : 0,
    words: event.syllables.map((syllable) => wordOf(syllable, LYRIC_SIZE)),
  };
}

function headWidth({ space, fifths, isFirst }) {
  return (3.9 + Math.abs(fifths) * 1.04 + (isFirst ? 3.1 : 0.8)) * space;
}

function drawHead(canvas, { space, left, fifths, time, isFirst }, y) {
  canvas.stamp('Clef', left + 0.7 * space, y + space, space);
  const heights = fifths > 0 ? SHARP_HEIGHTS : FLAT_HEIGHTS;
  signatureOf(fifths).forEach(({ step, alter }, i) => {
    canvas.stamp(ACCIDENTALS[alter], left + (4.15 + i * 1.04) * space, y + (heights[step] * space) / 2, space);
  });
  if (!isFirst) return;
  const center = left + (5.2 + Math.abs(fifths) * 1.04) * space;
  const size = (2 * space) / 0.676;
  [time.beats, time.unit].forEach((figure, i) => {
    const text = String(figure);
    canvas.text(
      text,
      center - textWidth(text, 'TimesBold', size) / 2,
      y + (i === 0 ? 2 : 0) * space + 0.04 * space,
      'TimesBold',
      size,
    );
  });
}

function drawBar(canvas, { x, kind }, y, space) {
  const height = 4 * space;
  if (kind === 'final') {
    canvas.box(x - 0.25 * space, y, 0.5 * space, height);
    canvas.line(x - 0.75 * space, y, x - 0.75 * space, y + height, 0.16 * space);
    return;
  }
  canvas.line(x, y, x, y + height, 0.16 * space);
  if (kind === 'double') canvas.line(x - 0.55 * space, y, x - 0.55 * space, y + height, 0.16 * space);
}

function drawNote(canvas, note, y, space) {
  const { event, x } = note;
  if (!event.pitch) {
    canvas.stamp(RESTS[event.base], x, y + 2 * space, space);
    if (event.dotted) canvas.stamp('Dot', x + 0.95 * space, y + 2.5 * space, space);
    return;
  }
  const height = y + note.height * space;
  for (let line = -1; line >= note.height; line -= 1) drawLedger(canvas, x, y + line * space, space);
  for (let line = 5; line <= note.height; line += 1) drawLedger(canvas, x, y + line * space, space);
  if (note.accidental !== null) canvas.stamp(ACCIDENTALS[note.accidental], x - 1.3 * space, height, space);
  canvas.stamp(HEADS[event.base] ?? 'HeadFull', x, height, space);
  // A dot on a line would vanish in it: it moves to the space above.
  if (event.dotted) canvas.stamp('Dot', x + 1.1 * space, height + (Number.isInteger(note.height) ? 0.5 : 0) * space, space);
  if (!note.stem) return;
  const stemX = x + note.stem * 0.56 * space;
  canvas.line(stemX, height + note.stem * 0.16 * space, stemX, y + note.stemEnd * space, STEM * space);
  if (note.beamed || note.flags === 0) return;
  canvas.stamp(
    note.flags === 1 ? 'Flag' : 'FlagTwo',
    stemX - (STEM / 2) * space,
    y + note.stemEnd * space,
    space,
    note.stem < 0,
  );
}

function drawLedger(canvas, x, y, space) {
  canvas.line(x - 0.95 * space, y, x + 0.95 * space, y, 0.14 * space);
}

function drawBeam(canvas, { stem, bars }, y, space) {
  for (const { x1, y1, x2, y2 } of bars) {
    const half = (STEM / 2) * space;
    const inward = -stem * BEAM * space;
    canvas.polygon([
      [x1 - half, y + y1 * space],
      [x2 + half, y + y2 * space],
      [x2 + half, y + y2 * space + inward],
      [x1 - half, y + y1 * space + inward],
    ]);
  }
}

function drawLabel(canvas, label, x, y) {
  const size = 10.5;
  canvas.frame(x, y - 3.5, textWidth(label, 'HelveticaBold', size) + 8, size + 4, 0.7);
  canvas.text(label, x + 4, y, 'HelveticaBold', size);
}
