// Words under the notes: syllables centered under note heads, hyphens between the syllables of a
// word, a line where a word's last syllable is held over more notes.

import { textWidth } from './fonts.mjs';

const FONT = 'TimesRoman';
const VERSE_LEADING = 2.5;

/** What spacing must know of a syllable; nothing for one that only holds. */
export function wordOf(syllable, size) {
  if (syllable === '_') return undefined;
  return { width: textWidth(plain(syllable), FONT, size), hyphen: syllable.endsWith('-') };
}

export function drawLyrics(canvas, { notes, system, options }, y, size) {
  for (let verse = 0; verse < system.verses; verse += 1) {
    drawVerse(canvas, notes, verse, y - verse * (size + VERSE_LEADING), size, options.right);
  }
}

function drawVerse(canvas, notes, verse, y, size, right) {
  let open = null;
  for (const note of notes) {
    const syllable = note.event.syllables[verse];
    if (syllable === '_' || note.event.held) {
      if (open) open.heldTo = note.x;
      continue;
    }
    if (!syllable) continue;
    const width = textWidth(plain(syllable), FONT, size);
    const x = note.x - width / 2;
    if (open) drawContinuation(canvas, open, x, y, size);
    canvas.text(plain(syllable), x, y, FONT, size);
    open = { end: x + width, hyphen: syllable.endsWith('-'), heldTo: null };
  }
  if (open) drawContinuation(canvas, open, right, y, size);
}

function drawContinuation(canvas, { end, hyphen, heldTo }, next, y, size) {
  if (hyphen) {
    const width = textWidth('-', FONT, size);
    const count = Math.max(1, Math.floor((next - end) / 60));
    for (let i = 1; i <= count; i += 1) {
      canvas.text('-', end + ((next - end) * i) / (count + 1) - width / 2, y, FONT, size);
    }
  } else if (heldTo !== null && heldTo - end > 6) {
    canvas.line(end + 1.5, y, Math.min(heldTo + 3, next - 3), y, 0.5);
  }
}

function plain(syllable) {
  return syllable.endsWith('-') ? syllable.slice(0, -1) : syllable;
}
