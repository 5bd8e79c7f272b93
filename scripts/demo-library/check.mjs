// Compares a library folder with its sources.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { PLACEHOLDERS, makePdfs, recordingsOf } from './sources.mjs';
import { chartProblems, disagreements, unknownSongs } from './charts.mjs';
import { isCurrent } from './mp3.mjs';

const LARGEST_MP3_BYTES = 600_000;

/** What is wrong with the library in `folder`, one sentence each; none when it is as the sources say. */
export function findProblems(tunes, folder) {
  const names = readdirSync(folder).map((name) => name.normalize('NFC'));
  return [...pdfProblems(tunes, folder, names), ...audioProblems(tunes, folder), ...textProblems(tunes, folder)];
}

/** The file's bytes, or null where there is none. */
export function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function pdfProblems(tunes, folder, names) {
  const expected = makePdfs(tunes);
  const differing = [...expected]
    .filter(([name, bytes]) => !readIfThere(path.join(folder, name))?.equals(bytes))
    .map(([name]) => `${name}: missing, or not what the script makes`);
  const strangers = names
    .filter((name) => name.endsWith('.pdf') && !expected.has(name))
    .map((name) => `${name}: no tune gives this file`);
  return [...differing, ...strangers];
}

function audioProblems(tunes, folder) {
  return recordingsOf(tunes).flatMap(({ name, tune }) => {
    const mp3 = readIfThere(path.join(folder, name));
    if (!mp3) return [`${name}: missing`];
    if (mp3.length > LARGEST_MP3_BYTES) return [`${name}: ${mp3.length} bytes, more than ${LARGEST_MP3_BYTES}`];
    return isCurrent(mp3, tune.stamp) ? [] : [`${name}: recorded from an older tune or synthesizer`];
  });
}

function textProblems(tunes, folder) {
  const charts = readdirSync(folder)
    .filter((name) => /\.cho(pro)?$/.test(name))
    .map((name) => ({ name, title: titleOf(name), text: readFileSync(path.join(folder, name), 'utf8') }));
  const titles = new Set([...charts.map(({ title }) => title), ...PLACEHOLDERS]);
  const ofCharts = charts.flatMap(({ name, text }) => chartProblems(text).map((problem) => `${name}: ${problem}`));
  const ofTunes = tunes.flatMap((tune) =>
    charts
      .filter(({ title }) => title === tune.title)
      .flatMap(({ name, text }) => disagreements(text, tune).map((problem) => `${name}: ${problem}`)),
  );
  const setlists = path.join(folder, 'setlists');
  const ofSetlists = readdirSync(setlists).flatMap((name) =>
    unknownSongs(readFileSync(path.join(setlists, name), 'utf8'), titles).map((title) => `${name}: no song "${title}"`),
  );
  return [...ofCharts, ...ofTunes, ...ofSetlists];
}

function titleOf(name) {
  return name.normalize('NFC').replace(/(_Concert)?\.[a-z]+$/, '');
}
