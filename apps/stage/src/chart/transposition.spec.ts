import { intervalFor, printedChord, semitonesBetween, transposeChord } from './transposition.js';

const transposed = (key: string, semitones: number, chords: string): string =>
  chords
    .split(' ')
    .map((chord) => transposeChord(chord, intervalFor(key, semitones)))
    .join(' ');

describe('transposing', () => {
  it('spells chords as the new key does', () => {
    expect(transposed('G', 3, 'G C D7 Em Am7')).toBe('Bb Eb F7 Gm Cm7');
    expect(transposed('C', 2, 'C Am F G7')).toBe('D Bm G A7');
    expect(transposed('Em', 2, 'Em B7 D#dim')).toBe('F#m C#7 E#dim');
  });

  it('keeps the meaning of a borrowed chord: ♭VI stays ♭VI', () => {
    expect(transposed('C', 2, 'Ab Bb')).toBe('Bb C');
  });

  it('moves the bass note along', () => {
    expect(transposed('D', -2, 'F#m7/C# D/F#')).toBe('Em7/B C/E');
  });

  it('avoids double accidentals', () => {
    expect(transposed('C', 1, 'Bb Eb Abm')).toBe('Cb Fb Am');
  });

  it('leaves alone what is no chord', () => {
    expect(transposed('C', 5, 'N.C. x %')).toBe('N.C. x %');
  });

  it.each([...'CDEFGAB'].flatMap((letter) => ['', '#', 'b'].map((sign) => letter + sign)))(
    'comes back to %s after going up and down',
    (key) => {
      for (let semitones = 1; semitones < 12; semitones += 1) {
        const there = transposeChord(key, intervalFor(key, semitones));
        expect(semitonesFrom(key, there)).toBe(semitones);
      }
    },
  );
});

describe('an instrument’s pitch', () => {
  it('is read as far from the sound as the instrument is built', () => {
    expect(semitonesBetween('Concert', 'Bb')).toBe(2);
    expect(semitonesBetween('Concert', 'Eb')).toBe(-3);
    expect(semitonesBetween('Concert', 'F')).toBe(-5);
    expect(semitonesBetween('Bb', 'Concert')).toBe(-2);
    expect(semitonesBetween('Eb', 'Bb')).toBe(5);
  });
});

describe('a printed chord', () => {
  it('has the signs of printed music', () => {
    expect(printedChord('Bb7')).toBe('B♭7');
    expect(printedChord('F#m7b5/C#')).toBe('F♯m7♭5/C♯');
    expect(printedChord('Ebm')).toBe('E♭m');
    expect(printedChord('N.C.')).toBe('N.C.');
  });
});

function semitonesFrom(low: string, high: string): number {
  const pitch = (name: string): number =>
    [0, 2, 4, 5, 7, 9, 11]['CDEFGAB'.indexOf(name[0]!)]! + (name[1] === '#' ? 1 : name[1] === 'b' ? -1 : 0);
  return (pitch(high) - pitch(low) + 24) % 12;
}
