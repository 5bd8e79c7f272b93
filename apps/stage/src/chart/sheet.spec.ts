import { readSheet, type SheetLine } from './sheet.js';

const chart = `{title: Amazing Grace}
{key: G}

{comment: Slowly}

{start_of_verse: Verse 1}
A[G]mazing [G7]grace, how [C]sweet the [G]sound,
{end_of_verse}

{start_of_chorus}
La [D7]la
{end_of_chorus}

{start_of_tab}
e|--1--|
B|--2--|
{end_of_tab}

{chorus}
`;

const shown = (line: SheetLine): string =>
  line.kind === 'words'
    ? line.words.map((word) => word.map(({ chord, lyrics }) => `[${chord}]${lyrics}`).join('')).join('·')
    : line.text;

describe('a chord chart', () => {
  const { key, sections } = readSheet(chart, 0);

  it('has its sections in order, the chorus again where it is called for', () => {
    expect(sections.map(({ kind, label }) => [kind, label])).toEqual([
      ['other', null],
      ['verse', 'Verse 1'],
      ['chorus', 'Chorus'],
      ['other', null],
      ['chorus', 'Chorus'],
    ]);
    expect(key).toBe('G');
  });

  it('keeps the syllables of a word together', () => {
    expect(sections[1]!.lines.map(shown)).toEqual(['[]A[G]mazing ·[G7]grace, ·[]how ·[C]sweet ·[]the ·[G]sound,']);
  });

  it('lets a long line without chords break between its words', () => {
    expect(readSheet("I'll pay the rent", 0).sections[0]!.lines.map(shown)).toEqual(["[]I'll ·[]pay ·[]the ·[]rent"]);
  });

  it('keeps remarks and tablature as they are written', () => {
    expect(sections[0]!.lines).toEqual([{ kind: 'remark', text: 'Slowly' }]);
    expect(sections[3]!.lines.map(shown)).toEqual(['e|--1--|', 'B|--2--|']);
  });

  it('is transposed with its key', () => {
    const transposed = readSheet(chart, 3);
    expect(transposed.key).toBe('B♭');
    expect(transposed.sections[1]!.lines.map(shown)).toEqual([
      '[]A[B♭]mazing ·[B♭7]grace, ·[]how ·[E♭]sweet ·[]the ·[B♭]sound,',
    ]);
  });

  it('takes the first chord for its key where it names none', () => {
    expect(readSheet('[Em]La [B7]la', 2)).toMatchObject({
      key: 'F♯m',
      sections: [{ lines: [{ words: [[{ chord: 'F♯m' }], [{ chord: 'C♯7' }]] }] }],
    });
  });

  it('reads what Windows wrote', () => {
    expect(readSheet('\uFEFF{key: C}\r\n[C]One\r\n[G]Two\r\n', 0).sections[0]!.lines.map(shown)).toEqual([
      '[C]One',
      '[G]Two',
    ]);
  });
});
