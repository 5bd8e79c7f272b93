import fc from 'fast-check';
import { anyString, plainTitle, storable } from '../test/arbitraries.js';
import { audienceOfName } from './audience.js';
import { readFileName } from './file-name.js';

const read = (path: string) => {
  const name = readFileName(path);
  return [name.kind, name.title, name.pitch, audienceOfName(name)];
};

describe('a file name', () => {
  it.each([
    ['All of Me_Bb.pdf', 'part', 'All of Me', 'Bb', 'Bb'],
    ['charts/All_of_Me_B♭.PDF', 'part', 'All of Me', 'Bb', 'Bb'],
    ['All of Me_EB.pdf', 'part', 'All of Me', 'Eb', 'Eb'],
    ['All of Me_E♭.pdf', 'part', 'All of Me', 'Eb', 'Eb'],
    ['All of Me_f.pdf', 'part', 'All of Me', 'F', 'F'],
    ['Blue Moon_Concert.pdf', 'part', 'Blue Moon', 'Concert', 'Concert'],
    ['Blue Moon_C.pdf', 'part', 'Blue Moon', 'Concert', 'Concert'],
    ['Autumn Leaves_X.pdf', 'placeholder', 'Autumn Leaves', null, 'leader'],
    ['Blue Moon.cho', 'chart', 'Blue Moon', 'Concert', null],
    ['Blue Moon_concert.chopro', 'chart', 'Blue Moon', 'Concert', null],
    ['Blue Moon_Bb.pro', 'chart', 'Blue Moon', 'Bb', 'Bb'],
    ['Take_Five.crd', 'chart', 'Take Five', 'Concert', null],
    ['Blue Moon.mp3', 'audio', 'Blue Moon', null, null],
    ['Blue Moon_Reference.mp3', 'audio', 'Blue Moon', null, null],
    ['setlists/2026-12-05 Winter Ball.setlist', 'setlist', '2026-12-05 Winter Ball', null, null],
  ])('%s is a %s of "%s", written in %s, for %s', (path, ...expected) => {
    expect(read(path)).toEqual(expected);
  });

  it.each([
    ['All of Me.pdf', 'name_unknown'],
    ['All of Me_G.pdf', 'name_unknown'],
    ['All of Me_Reference.pdf', 'name_unknown'],
    ['_Bb.pdf', 'name_unknown'],
    ['notes.docx', 'kind_unknown'],
    ['README', 'kind_unknown'],
    ['x.constructor', 'kind_unknown'],
  ])('%s fits no pattern (%s) and is for leaders, under its whole name', (path, misfit) => {
    const name = readFileName(`folder/${path}`);
    expect(name.misfit).toBe(misfit);
    expect(name.title).toBe(path);
    expect(audienceOfName(name)).toBe('leader');
  });

  it('tells a reference recording from one to play along with', () => {
    expect(readFileName('Blue Moon_Reference.m4a').reference).toBe(true);
    expect(readFileName('Blue Moon.m4a').reference).toBe(false);
  });

  it('takes composed and decomposed accents for the same title', () => {
    expect(readFileName('A\u0300 la claire_Bb.pdf').title).toBe('\u00c0 la claire');
  });

  it('gives back the title and the key it was made of', () => {
    fc.assert(
      fc.property(plainTitle, fc.constantFrom('Bb', 'Eb', 'F', 'Concert'), fc.boolean(), (title, key, underscored) => {
        const name = readFileName(`${underscored ? title.replaceAll(' ', '_') : title}_${key}.pdf`);
        expect([name.title, name.pitch, name.misfit]).toEqual([title.normalize('NFC'), key, null]);
      }),
    );
  });

  it('is never more than its reader can take, and its title can be stored', () => {
    fc.assert(
      fc.property(anyString, fc.constantFrom('', '.pdf', '_Bb.pdf', '.cho', '.mp3', '.setlist'), (stem, end) => {
        const name = readFileName(stem + end);
        expect(name.title).not.toBe('');
        expect(storable(name)).toBe(true);
      }),
    );
  });
});
