// What a chart or a setlist of the library must satisfy, so that a typing error is found before a band sees it.

import ChordSheetJS from 'chordsheetjs';

const REQUIRED = ['title', 'artist', 'key', 'tempo', 'time'];

/** Complaints about one ChordPro chart; none when it is fine. */
export function chartProblems(text) {
  let song;
  try {
    song = new ChordSheetJS.ChordProParser().parse(text);
  } catch (error) {
    return [`does not parse: ${error.message.split('\n')[0]}`];
  }
  const problems = REQUIRED.filter((name) => !song[name]).map((name) => `has no {${name}}`);
  const items = song.lines.flatMap((line) => line.items);
  for (const { chords } of items) {
    if (chords && !ChordSheetJS.Chord.parse(chords)) problems.push(`"${chords}" is no chord`);
  }
  const sung = song.lines.filter((line) => line.items.some((item) => item.lyrics?.trim()));
  if (sung.length < 4) problems.push('has fewer than four lines of words');
  if (!items.some((item) => item.chords)) problems.push('has no chords');
  return problems;
}

/** Where the chart and the tune of one song disagree. */
export function disagreements(text, tune) {
  const song = new ChordSheetJS.ChordProParser().parse(text);
  const pairs = [
    ['title', song.title, tune.title],
    ['key', song.key, tune.key],
    ['tempo', String(song.tempo), String(tune.tempo)],
    ['time', String(song.time), `${tune.time.beats}/${tune.time.unit}`],
  ];
  return pairs
    .filter(([, chart, melody]) => chart !== melody)
    .map(([what, chart, melody]) => `${what} is ${chart} in the chart, ${melody} in the tune`);
}

/** Entries of a setlist for which the library holds no song. */
export function unknownSongs(setlist, titles) {
  return setlist
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#') && !/^[a-z]+:/.test(line))
    .map((line) => line.split('|')[0].trim())
    .filter((title) => !titles.has(title));
}
