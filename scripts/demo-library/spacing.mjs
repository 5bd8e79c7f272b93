// Where the notes of one line of staff stand. Between two columns lies a spring as long as the
// note's value asks; neither signs, nor words, nor chord symbols may touch. All springs stretch by
// the same factor until the last bar line meets the right margin.

const SPRING = { 12: 1.4, 18: 1.7, 24: 2, 36: 2.4, 48: 2.8, 72: 3.4, 96: 4, 144: 4.8, 192: 5.6 };
const CHORD_GAP = 6;
const WORD_GAP = 3.2;
const HYPHEN_GAP = 6.5;

/** The length of a note's spring, in staff spaces, before stretching. */
export function springOf(ticks) {
  return SPRING[ticks];
}

/**
 * The x of every column. A column is { left, right, spring, chordWidth, words } in points: how far it
 * reaches to both sides, its spring, and per verse { width, hyphen } or nothing.
 * @throws Error when the line holds more than fits between `start` and `end`
 */
export function place(columns, start, end) {
  if (sweep(columns, start, 0).at(-1) > end + 0.01) throw new Error('a line of music is too full for the page');
  let low = 0;
  let high = 64;
  for (let i = 0; i < 48; i += 1) {
    const middle = (low + high) / 2;
    if (sweep(columns, start, middle).at(-1) > end) high = middle;
    else low = middle;
  }
  return sweep(columns, start, low);
}

function sweep(columns, start, stretch) {
  const xs = [];
  let chordEdge = -Infinity;
  const wordEdges = [];
  columns.forEach((column, i) => {
    const before = columns[i - 1];
    let x = before ? xs[i - 1] + Math.max(before.right + column.left, before.spring * stretch) : start + column.left;
    if (column.chordWidth) x = Math.max(x, chordEdge);
    column.words.forEach((word, verse) => {
      if (word) x = Math.max(x, (wordEdges[verse] ?? -Infinity) + word.width / 2);
    });
    if (column.chordWidth) chordEdge = x + column.chordWidth + CHORD_GAP;
    column.words.forEach((word, verse) => {
      if (word) wordEdges[verse] = x + word.width / 2 + (word.hyphen ? HYPHEN_GAP : WORD_GAP);
    });
    xs.push(x);
  });
  return xs;
}
