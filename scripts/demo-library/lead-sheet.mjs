// A lead sheet of one part: the page, its heading, the lines of staff spread over it.

import { A4, Pdf } from './pdf.mjs';
import { GLYPHS } from './glyphs.mjs';
import { drawSigned, signedWidth } from './chord-symbol.mjs';
import { drawStaff, layStaff } from './staff.mjs';
import { fifthsOfKey } from './pitch.mjs';
import { textWidth } from './fonts.mjs';
import { transpose } from './parts.mjs';

const MARGIN = 42;
const FIRST_STAFF_TOP = A4.height - 128;
const LAST_STAFF_BOTTOM = 52;
const MAX_GAP = 54;

/** The PDF of `tune` as `part` reads it. The same tune gives the same bytes. */
export function leadSheet(tune, part) {
  const written = transpose(tune, part);
  const pdf = newPdf(`${tune.title} (${part.suffix})`);
  const page = pdf.addPage();
  drawHeading(page, written, part);
  const staffs = written.systems.map((system, i) =>
    layStaff(system, {
      left: MARGIN,
      right: A4.width - MARGIN,
      space: written.systems.length > 6 ? 5.4 : 6.4,
      fifths: fifthsOfKey(written.key),
      time: written.time,
      isFirst: i === 0,
    }),
  );
  drawStaffs(page, staffs, tune.title);
  drawFooter(page, `Public domain · ${written.distance}`);
  return pdf.toBytes();
}

/** The page that stands in for a chart nobody has written yet. */
export function placeholder(title) {
  const pdf = newPdf(`${title} (to come)`);
  const page = pdf.addPage();
  drawCentered(page, title, A4.height - 330, 'TimesBold', 26);
  drawCentered(page, 'The chart is to come.', A4.height - 362, 'TimesItalic', 15);
  page.line(A4.width / 2 - 60, A4.height - 384, A4.width / 2 + 60, A4.height - 384, 0.6);
  drawFooter(page, 'Placeholder');
  return pdf.toBytes();
}

function newPdf(title) {
  const pdf = new Pdf(title);
  for (const [name, { box, path }] of Object.entries(GLYPHS)) pdf.addStamp(name, box, path);
  return pdf;
}

function drawStaffs(page, staffs, title) {
  const needed = staffs.reduce((sum, staff) => sum + staff.above + staff.below, 0);
  const room = FIRST_STAFF_TOP - LAST_STAFF_BOTTOM - needed;
  if (room < 0) throw new Error(`${title} does not fit on one page`);
  const gap = Math.min(MAX_GAP, room / Math.max(1, staffs.length - 1));
  let top = FIRST_STAFF_TOP;
  for (const staff of staffs) {
    drawStaff(page, staff, top - staff.above);
    top -= staff.above + staff.below + gap;
  }
}

function drawHeading(page, tune, part) {
  const top = A4.height - 58;
  drawCentered(page, tune.title.replaceAll("'", '’'), top - 8, 'TimesBold', 25);
  const nameWidth = signedWidth(part.name, 'HelveticaBold', 20);
  page.frame(MARGIN, top - 7, nameWidth + 14, 27, 1.1);
  drawSigned(page, part.name, MARGIN + 7, top, 'HelveticaBold', 20);
  drawSigned(page, `for ${part.name} instruments`, MARGIN, top - 22, 'TimesItalic', 11);
  page.text(part.readers, MARGIN, top - 34, 'TimesItalic', 9);
  const right = A4.width - MARGIN;
  page.text(tune.composer, right - textWidth(tune.composer, 'TimesRoman', 10.5), top - 34, 'TimesRoman', 10.5);
  drawTempo(page, tune, MARGIN, top - 54);
}

function drawTempo(page, { feel, time, tempo }, x, y) {
  page.text(feel, x, y, 'TimesBold', 12);
  const note = x + textWidth(feel, 'TimesBold', 12) + 13;
  const space = 4.4;
  page.stamp('HeadFull', note, y + 2.6, space);
  page.line(note + 0.56 * space, y + 3.2, note + 0.56 * space, y + 3.2 + 2.9 * space, 0.7);
  if (time.unit === 8) page.stamp('Dot', note + 1.15 * space, y + 3, space);
  page.text(`= ${tempo}`, note + (time.unit === 8 ? 11 : 7), y, 'TimesBold', 12);
}

function drawCentered(page, text, y, font, size) {
  page.text(text, (A4.width - textWidth(text, font, size)) / 2, y, font, size);
}

function drawFooter(page, text) {
  drawCentered(page, text, 28, 'TimesItalic', 8.5);
}
