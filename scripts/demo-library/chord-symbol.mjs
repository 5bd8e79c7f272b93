// Chord symbols and other short texts with ♭ and ♯ in them, which the standard fonts lack.

import { textWidth } from './fonts.mjs';

const FONT = 'HelveticaBold';
const SIGN_WIDTH = 0.36;

export function chordText({ root, quality, bass }) {
  const sign = (name) => name.replace('b', '♭').replace('#', '♯');
  return sign(root) + quality + (bass ? `/${sign(bass)}` : '');
}

export function chordWidth(chord, size) {
  return signedWidth(chordText(chord), FONT, size);
}

export function drawChord(canvas, chord, x, y, size) {
  drawSigned(canvas, chordText(chord), x, y, FONT, size);
}

/** The width of `text` in which ♭ and ♯ may stand. */
export function signedWidth(text, font, size) {
  return pieces(text).reduce(
    (width, piece) => width + (isSign(piece) ? SIGN_WIDTH * size : textWidth(piece, font, size)),
    0,
  );
}

export function drawSigned(canvas, text, x, y, font, size) {
  let at = x;
  for (const piece of pieces(text)) {
    if (isSign(piece)) {
      canvas.stamp(piece === '♭' ? 'Flat' : 'Sharp', at + 0.18 * size, y + 0.34 * size, size * 0.31);
      at += SIGN_WIDTH * size;
    } else {
      canvas.text(piece, at, y, font, size);
      at += textWidth(piece, font, size);
    }
  }
}

function pieces(text) {
  return text.split(/([♭♯])/).filter((piece) => piece !== '');
}

function isSign(piece) {
  return piece === '♭' || piece === '♯';
}
