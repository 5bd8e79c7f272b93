// What the library is made from, and what has to come of it.

import { readFileSync, readdirSync } from 'node:fs';
import { PARTS } from './parts.mjs';
import { leadSheet, placeholder } from './lead-sheet.mjs';
import { parseTune } from './tune.mjs';
import { stampOf } from './mp3.mjs';

const TUNES = new URL('./tunes/', import.meta.url);

/** Songs the band wants and has no chart for. */
export const PLACEHOLDERS = ['Beautiful Dreamer'];

/** Every tune, in the order of the file names. @throws Error that names a tune which does not parse */
export function readTunes() {
  return readdirSync(TUNES)
    .filter((name) => name.endsWith('.tune'))
    .sort()
    .map((name) => readFileSync(new URL(name, TUNES), 'utf8').replaceAll('\r\n', '\n'))
    .map((text) => ({ ...parseTune(text), stamp: stampOf(text) }));
}

/** Every PDF of the library, file name to bytes. */
export function makePdfs(tunes) {
  const parts = tunes.flatMap((tune) =>
    tune.parts.map((suffix) => [`${tune.title}_${suffix}.pdf`, leadSheet(tune, PARTS[suffix])]),
  );
  return new Map([...parts, ...PLACEHOLDERS.map((title) => [placeholderName(title), placeholder(title)])]);
}

/** The recordings the tunes ask for, { name, tune }: `audio: Reference`, `audio: plain` or `audio: none`. */
export function recordingsOf(tunes) {
  return tunes
    .filter((tune) => tune.audio !== 'none')
    .map((tune) => ({ tune, name: `${tune.title}${tune.audio === 'plain' ? '' : `_${tune.audio}`}.mp3` }));
}

export function placeholderName(title) {
  return `${title}_X.pdf`;
}
