// What a note needs before it can be drawn: its height on the staff, its stem, its accidental,
// the beam that joins it to its neighbors.

import { beatTicks } from './tune.mjs';
import { signatureOf, staffStepOf } from './pitch.mjs';

const BOTTOM_LINE = staffStepOf({ step: 2, octave: 4 });
const FLAGS = { e: 1, s: 2 };
const STEM_LENGTH = 3.5;
const BEAM_PITCH = 0.75;

/**
 * The accidental printed before each event of a measure, or null: one is needed where the pitch
 * differs from the signature and from what stood before it in the bar. A tied note keeps its own.
 */
export function accidentalsOf(measure, fifths) {
  const signature = new Map(signatureOf(fifths).map(({ step, alter }) => [step, alter]));
  const inBar = new Map();
  return measure.events.map(({ pitch, held }) => {
    if (!pitch || held) return null;
    const key = staffStepOf(pitch);
    const current = inBar.get(key) ?? signature.get(pitch.step) ?? 0;
    inBar.set(key, pitch.alter);
    return current === pitch.alter ? null : pitch.alter;
  });
}

/**
 * { height, stem (1 up, -1 down, 0 none), stemEnd, flags, top, bottom } of one event, heights in staff
 * spaces above the bottom line. `top` and `bottom` are what the note takes up.
 */
export function stemOf(event) {
  if (!event.pitch) return { height: 2, stem: 0, flags: 0, top: 4, bottom: 0 };
  const height = (staffStepOf(event.pitch) - BOTTOM_LINE) / 2;
  const direction = height >= 2 ? -1 : 1;
  const note = { height, direction, stem: event.base === 'w' ? 0 : direction, flags: FLAGS[event.base] ?? 0 };
  return { ...note, ...reach(note, defaultEnd(height, direction)) };
}

/** The runs of notes under one beam: shorter than a quarter, within one beat, at least two. */
export function beamGroups(notes, time) {
  const beat = beatTicks(time);
  const groups = [];
  let last = null;
  for (const note of notes) {
    const beatKey = Math.floor(note.at / beat);
    if (!note.event.pitch || note.flags === 0) {
      last = null;
    } else if (last && last.measure === note.measure && last.beatKey === beatKey) {
      last.notes.push(note);
    } else {
      last = { measure: note.measure, beatKey, notes: [note] };
      groups.push(last);
    }
  }
  return groups.map((group) => group.notes).filter((group) => group.length > 1);
}

/**
 * Turns the stems of a group to one side, ends them on one line and gives that beam as
 * { stem, bars: [{ x1, y1, x2, y2 }] }: x in points, y in staff spaces, the outer edge of each bar.
 */
export function shapeBeam(group, space) {
  const extreme = group.reduce((far, note) => (Math.abs(note.height - 2) > Math.abs(far.height - 2) ? note : far));
  const stem = extreme.height >= 2 ? -1 : 1;
  const xOf = (note) => note.x + stem * 0.56 * space;
  const first = group[0];
  const last = group.at(-1);
  const width = xOf(last) - xOf(first);
  const rise = Math.max(-1, Math.min(1, (last.height - first.height) / 2));
  const lineAt = (x) => first.height + (rise * (x - xOf(first))) / width;
  const lift = Math.max(...group.map((note) => stem * (note.height - lineAt(xOf(note))))) + STEM_LENGTH - 0.4;
  for (const note of group) {
    Object.assign(note, { beamed: true, stem, direction: stem }, reach({ ...note, stem }, lineAt(xOf(note)) + stem * lift));
  }
  const bar = (from, to, level) => ({
    x1: from,
    y1: lineAt(from) + stem * (lift - level * BEAM_PITCH),
    x2: to,
    y2: lineAt(to) + stem * (lift - level * BEAM_PITCH),
  });
  return { stem, bars: [bar(xOf(first), xOf(last), 0), ...sixteenths(group, xOf, space).map(([a, b]) => bar(a, b, 1))] };
}

/** Second beams: from sixteenth to sixteenth, or a stub toward the neighbor where one stands alone. */
function sixteenths(group, xOf, space) {
  const spans = [];
  group.forEach((note, i) => {
    if (note.flags < 2) return;
    if (group[i + 1]?.flags === 2) spans.push([xOf(note), xOf(group[i + 1])]);
    else if (group[i - 1]?.flags !== 2) {
      const stub = 1.1 * space;
      spans.push(i > 0 ? [xOf(note) - stub, xOf(note)] : [xOf(note), xOf(note) + stub]);
    }
  });
  return spans;
}

function defaultEnd(height, direction) {
  const end = height + direction * STEM_LENGTH;
  // Stems of notes far off the staff reach the middle line.
  return direction > 0 ? Math.max(end, 2) : Math.min(end, 2);
}

function reach({ height, stem }, stemEnd) {
  return {
    stemEnd,
    top: stem > 0 ? stemEnd : height + 0.5,
    bottom: stem < 0 ? stemEnd : height - 0.5,
  };
}
