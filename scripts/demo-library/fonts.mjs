// Four of the fonts every PDF reader has, and the widths of their characters in
// thousandths of the size, from the blank (32) to the tilde (126).

export const FONTS = {
  TimesRoman: {
    baseFont: 'Times-Roman',
    widths: `
      250 333 408 500 500 833 778 180 333 333 500 564 250 333 250 278 500 500 500 500 500 500 500 500
    500 500 278 278 564 564 564 444 921 722 667 667 722 611 556 722 722 333 389 722 611 889 722 722
    556 722 667 556 611 722 722 944 722 722 611 333 278 333 469 500 333 444 500 444 500 444 333 500
    500 278 278 500 278 778 500 500 500 500 333 389 278 500 500 722 500 500 444 480 200 480 541`,
  },
  TimesBold: {
    baseFont: 'Times-Bold',
    widths: `
      250 333 555 500 500 1000 833 278 333 333 500 570 250 333 250 278 500 500 500 500 500 500 500 500
    500 500 333 333 570 570 570 500 930 722 667 722 722 667 611 778 778 389 500 778 667 944 722 778
    611 778 722 556 667 722 722 1000 722 722 667 333 278 333 581 500 333 500 556 444 556 444 333 500
    556 278 333 556 278 833 556 500 556 556 444 389 333 556 500 722 500 500 444 394 220 394 520`,
  },
  TimesItalic: {
    baseFont: 'Times-Italic',
    widths: `
      250 333 420 500 500 833 778 214 333 333 500 675 250 333 250 278 500 500 500 500 500 500 500 500
    500 500 333 333 675 675 675 500 920 611 611 667 722 611 611 722 722 333 444 667 556 833 667 722
    611 722 611 500 556 722 611 833 611 556 556 389 278 389 422 500 333 500 500 444 500 444 278 500
    500 278 278 444 278 722 500 500 500 500 389 389 278 500 444 667 444 444 389 400 275 400 541`,
  },
  HelveticaBold: {
    baseFont: 'Helvetica-Bold',
    widths: `
    278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
    556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778
    667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611
    611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584`,
  },
};

// Characters of WinAnsi outside Latin-1: the byte, and an ASCII character about as wide.
const EXTRA = {
  '’': { byte: '\x92', like: ')' },
  '–': { byte: '\x96', like: '0' },
  œ: { byte: '\x9c', like: 'm' },
  Œ: { byte: '\x8c', like: 'M' },
};

const tables = new Map(Object.entries(FONTS).map(([name, font]) => [name, font.widths.trim().split(/\s+/).map(Number)]));

/** How wide `text` is in `font` at `size`, in points. */
export function textWidth(text, font, size) {
  const table = tables.get(font);
  let thousandths = 0;
  for (const character of text.normalize('NFC')) {
    const plain = EXTRA[character]?.like ?? character.normalize('NFD')[0];
    thousandths += table[plain.codePointAt(0) - 32] ?? table[0];
  }
  return (thousandths * size) / 1000;
}

/**
 * `text` in WinAnsi, one character per byte.
 * @throws Error for a character that the standard fonts lack
 */
export function encodeText(text) {
  return [...text.normalize('NFC')]
    .map((character) => {
      const byte = EXTRA[character]?.byte ?? character;
      if (byte.codePointAt(0) > 255) throw new Error(`the standard fonts have no "${character}"`);
      return byte;
    })
    .join('');
}
