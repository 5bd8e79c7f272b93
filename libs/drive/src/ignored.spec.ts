import { isIgnoredName, isIgnoredPath } from './ignored.js';

it.each([
  '.DS_Store',
  '.a.swp',
  'a.cho~',
  '~$set.docx',
  '#a.cho#',
  'A.TMP',
  'a.part',
  'a.crdownload',
  '4913',
  '__MACOSX',
  'Desktop.ini',
  'thumbs.db',
])('leaves out %s', (name) => expect(isIgnoredName(name)).toBe(true));

it.each(['a.cho', '4913.pdf', 'Part.pdf', 'C# minor.cho', 'a~b.cho', 'tmp'])('keeps %s', (name) =>
  expect(isIgnoredName(name)).toBe(false),
);

it('leaves out all that is in an ignored folder, and paths beyond all measure', () => {
  expect(isIgnoredPath('songs/.git/config.cho')).toBe(true);
  expect(isIgnoredPath('songs/a.cho')).toBe(false);
  expect(isIgnoredPath('é'.repeat(513))).toBe(true);
});
