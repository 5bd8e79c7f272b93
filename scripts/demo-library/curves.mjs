// Ties between two notes of one pitch, and slurs over the notes that share a syllable.

import { num } from './pdf.mjs';

export function drawCurves(canvas, notes, y, space) {
  notes.forEach((note, i) => {
    if (note.event.tied) drawTie(canvas, note, notes[i + 1], y, space);
  });
  for (const group of slurGroups(notes)) drawSlur(canvas, group, y, space);
}

function slurGroups(notes) {
  const groups = [];
  let group = [];
  const close = () => {
    if (group.length > 1) groups.push(group);
    group = [];
  };
  for (const note of notes) {
    const holds = note.event.syllables[0] === '_';
    if (!note.event.pitch) close();
    else if (holds) group.push(note);
    else if (!note.event.held) {
      close();
      group = [note];
    }
  }
  close();
  return groups;
}

function drawTie(canvas, from, to, y, space) {
  const side = -from.direction;
  const base = y + (from.height + side * 0.62) * space;
  const x1 = from.x + 0.5 * space;
  const x2 = to.x - 0.5 * space;
  drawBow(canvas, [x1, base], [x2, base], side * Math.min(1, 0.45 + (x2 - x1) / (30 * space)) * space, space);
}

function drawSlur(canvas, notes, y, space) {
  const allUp = notes.every((note) => note.direction > 0);
  const side = allUp ? -1 : 1;
  // Over a stem that points to the same side the slur starts at the stem's end.
  const edge = (note) => (note.stem === side ? note.stemEnd + side * 0.35 : note.height + side * 0.85);
  const first = notes[0];
  const last = notes.at(-1);
  const start = [first.x, y + edge(first) * space];
  const end = [last.x, y + edge(last) * space];
  const excess = notes.slice(1, -1).map((note) => {
    const t = (note.x - first.x) / (last.x - first.x);
    return side * (edge(note) - (edge(first) + (edge(last) - edge(first)) * t));
  });
  const bulge = Math.max(0.8 + (end[0] - start[0]) / (40 * space), ...excess.map((height) => height * 1.35 + 0.5));
  drawBow(canvas, start, end, side * Math.min(bulge, 2.6) * space, space);
}

/** A bow from one point to another, thin at both ends and thicker in the middle. */
function drawBow(canvas, [x1, y1], [x2, y2], bulge, space) {
  const third = (x2 - x1) / 3.4;
  const tilt = (y2 - y1) / 3.4;
  const arc = (height) => [
    [x1 + third, y1 + tilt + height * 1.3],
    [x2 - third, y2 - tilt + height * 1.3],
  ];
  const [a, b] = arc(bulge);
  const [c, d] = arc(bulge - Math.sign(bulge) * 0.2 * space);
  const point = ([x, y]) => `${num(x)} ${num(y)}`;
  canvas.shape(
    `${point([x1, y1])} m ${point(a)} ${point(b)} ${point([x2, y2])} c ${point(d)} ${point(c)} ${point([x1, y1])} c h`,
  );
}
