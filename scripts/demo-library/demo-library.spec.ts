import { appendFileSync, copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { PARTS, transpose } from './parts.mjs';
import { SAMPLE_RATE, play } from './synth.mjs';
import { chartProblems } from './charts.mjs';
import { chordText } from './chord-symbol.mjs';
import { findProblems } from './check.mjs';
import { leadSheet } from './lead-sheet.mjs';
import { fifthsOfKey, midiOf, moveKey, movePitch, parsePitch } from './pitch.mjs';
import { accidentalsOf, beamGroups, stemOf } from './notes.mjs';
import { parseTune, type Measure, type Tune, type TuneEvent } from './tune.mjs';
import { place } from './spacing.mjs';
import { readTunes } from './sources.mjs';

const LIBRARY = fileURLToPath(new URL('../../library/', import.meta.url));

const HEADER = 'title: Scale\ncomposer: nobody\nkey: G\ntime: 4/4\ntempo: 120\nfeel: Even\nparts: Concert\naudio: none\n\n';
const tuneOf = (body: string, header = HEADER) => parseTune(header + body);
const onlyMeasure = (tune: Tune): Measure => tune.systems[0]!.measures[0]!;
const firstEventOf = (tune: Tune): TuneEvent => eventsOf(tune)[0]!;
const eventsOf = (tune: Tune): TuneEvent[] =>
  tune.systems.flatMap((system) => system.measures.flatMap((measure) => measure.events));

describe('the committed library', () => {
  const tunes = readTunes();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'soleil-library-'));
    cpSync(LIBRARY, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is what its sources say', () => {
    expect(findProblems(tunes, folder)).toEqual([]);
  });

  it('is found wanting when a part was changed by hand, lost, or put there by somebody else', () => {
    appendFileSync(path.join(folder, 'Greensleeves_Eb.pdf'), ' ');
    rmSync(path.join(folder, 'Daisy Bell_Bb.pdf'));
    copyFileSync(path.join(folder, 'Daisy Bell_Eb.pdf'), path.join(folder, 'Stranger_Eb.pdf'));
    expect(findProblems(tunes, folder)).toEqual([
      'Daisy Bell_Bb.pdf: missing, or not what the script makes',
      'Greensleeves_Eb.pdf: missing, or not what the script makes',
      'Stranger_Eb.pdf: no tune gives this file',
    ]);
  });

  it('is found wanting when a recording is older than its tune', () => {
    const changed = tunes.map((tune) => (tune.title === 'Silent Night' ? { ...tune, stamp: 'another' } : tune));
    expect(findProblems(changed, folder)).toEqual([
      'Silent Night_Reference.mp3: recorded from an older tune or synthesizer',
    ]);
  });

  it('is found wanting when a chart disagrees with its tune, or a setlist asks for a song that is not there', () => {
    const chart = path.join(folder, 'Aura Lee_Concert.cho');
    writeFileSync(chart, readFileSync(chart, 'utf8').replace('{key: F}', '{key: G}'));
    appendFileSync(path.join(folder, 'setlists', '2026-12-05 Winter Ball.setlist'), 'Nobody Knows This One | ever\n');
    expect(findProblems(tunes, folder)).toEqual([
      'Aura Lee_Concert.cho: key is G in the chart, F in the tune',
      '2026-12-05 Winter Ball.setlist: no song "Nobody Knows This One"',
    ]);
  });
});

describe('a chart', () => {
  it('is refused without title, chords or words', () => {
    expect(chartProblems('{key: G}\nJust a line')).toEqual([
      'has no {title}',
      'has no {artist}',
      'has no {tempo}',
      'has no {time}',
      'has fewer than four lines of words',
      'has no chords',
    ]);
  });
});

describe('the melody notation', () => {
  it('names the bar that does not add up', () => {
    expect(() => tuneOf('G4w | A4h B4q | G4w |]')).toThrow('Scale: bar 2 lasts 3 quarters, not 4');
  });

  it('lets the last bar be as much shorter as the pickup is long', () => {
    expect(tuneOf('D4q | G4w | G4h. |]').pickupTicks).toBe(48);
    expect(() => tuneOf('D4q | G4w | G4w |]')).toThrow('bar 2 lasts 4 quarters, not 3');
  });

  it('refuses a verse that does not fit the notes, and asks no syllable of a tied note', () => {
    expect(() => tuneOf('G4h~ G4h | A4w |]\nw: one two three')).toThrow('3 syllables for 2 notes');
    expect(eventsOf(tuneOf('G4h~ G4h | A4w |]\nw: one two')).map((event: TuneEvent) => event.syllables)).toEqual([
      ['one'],
      [],
      ['two'],
    ]);
  });

  it('refuses what is no note, a tie into nothing, and a header without a key', () => {
    expect(() => tuneOf('H4w |]')).toThrow('"H4w" is no note');
    expect(() => tuneOf('G4w~ |]')).toThrow('a tie needs a note after it');
    expect(() => tuneOf('G4w |]', HEADER.replace('key: G\n', ''))).toThrow('Scale: the header line "key:" is missing');
  });
});

describe('transposing', () => {
  it.each([
    ['Bb', 'A', 'F#m'],
    ['Eb', 'E', 'C#m'],
    ['F', 'D', 'Bm'],
    ['Concert', 'G', 'Em'],
  ] as const)('writes a song in G for %s readers in %s, and its Em as %s', (part, key, chord) => {
    const written = transpose(tuneOf('[Em] B4w |]'), PARTS[part]);
    expect(written.key).toBe(key);
    expect(chordText(firstEventOf(written).chord)).toBe(chord.replace('#', '♯'));
  });

  it('keeps the spelling: the leading note A# of an alto becomes F double sharp', () => {
    const note = firstEventOf(transpose(tuneOf('A#4w |]'), PARTS.Eb));
    expect(note.pitch).toMatchObject({ step: 3, alter: 2 });
  });

  it('comes back to where it started, whatever the pitch and the part', () => {
    const pitch = fc.record({
      step: fc.integer({ min: 0, max: 6 }),
      alter: fc.integer({ min: -1, max: 1 }),
      octave: fc.integer({ min: 2, max: 6 }),
    });
    fc.assert(
      fc.property(pitch, fc.constantFrom(...Object.values(PARTS)), (from, { interval }) => {
        const there = movePitch(from, interval);
        expect(midiOf(there) - midiOf(from)).toBe(interval.semitones);
        expect(movePitch(there, { steps: -interval.steps, semitones: -interval.semitones })).toEqual(from);
      }),
    );
  });

  it('knows how many sharps and flats a key has', () => {
    expect(['C', 'G', 'F', 'Bb', 'Em', 'C#m', 'Dm', 'F#'].map(fifthsOfKey)).toEqual([0, 1, -1, -2, 1, 4, -1, 6]);
    expect(fifthsOfKey(moveKey('Dm', PARTS.Eb.interval))).toBe(2);
  });
});

describe('engraving', () => {
  it('prints an accidental once in a bar, cancels it with a natural, and none that the signature gives', () => {
    const measure = onlyMeasure(tuneOf('F#4q F4q F4q F#4q |]'));
    expect(accidentalsOf(measure, fifthsOfKey('G'))).toEqual([null, 0, null, 1]);
  });

  it('beams short notes within a beat only', () => {
    const tune = tuneOf('G4e A4e B4q C5e D5q. |]');
    const measure = onlyMeasure(tune);
    let at = 0;
    const notes = measure.events.map((event: TuneEvent) => {
      const note = { event, measure, at, ...stemOf(event) };
      at += event.ticks;
      return note;
    });
    expect(beamGroups(notes, tune.time).map((group: unknown[]) => group.length)).toEqual([2]);
  });

  it('turns stems down from the middle line on', () => {
    const directions = ['A4', 'B4', 'C5'].map((name) => stemOf({ pitch: parsePitch(name), base: 'q' }).stem);
    expect(directions).toEqual([1, -1, -1]);
  });

  it('fills the line to the margin, keeps words apart, and says when a line is too full', () => {
    const column = (width: number) => ({ left: 4, right: 4, spring: 10, chordWidth: 0, words: [{ width, hyphen: false }] });
    const xs = place([column(20), column(60), column(20), column(20)], 0, 300);
    expect(xs.at(-1)).toBeCloseTo(300, 3);
    expect(xs[1] - xs[0]).toBeGreaterThanOrEqual(40);
    expect(() => place([column(200), column(200), column(200)], 0, 300)).toThrow('too full for the page');
  });

  it('gives the same bytes twice, and a cross-reference table that points at its objects', () => {
    const tune = tuneOf('[G] G4q B4e C5e D5h | rh G4h | F#4w |]');
    const bytes = leadSheet(tune, PARTS.Bb);
    expect(leadSheet(tune, PARTS.Bb).equals(bytes)).toBe(true);
    const file = bytes.toString('latin1');
    const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(file)![1]);
    const offsets = [...file.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map((match) => Number(match[1]));
    offsets.forEach((offset, i) => expect(file.slice(offset)).toMatch(new RegExp(`^${i + 1} 0 obj\n`)));
    expect(offsets.length).toBeGreaterThan(8);
  });
});

describe('the synthesizer', () => {
  const zeroCrossings = (pcm: Buffer, fromSecond: number, toSecond: number) => {
    let count = 0;
    for (let i = Math.round(fromSecond * SAMPLE_RATE); i < toSecond * SAMPLE_RATE; i += 1) {
      if (pcm.readInt16LE(2 * i) < 0 && pcm.readInt16LE(2 * i + 2) >= 0) count += 1;
    }
    return count / (toSecond - fromSecond);
  };

  it('sounds the written pitch at the written time, and plays a short tune until half a minute is over', () => {
    const pcm = play(tuneOf('A4w | A5w |]'));
    expect(pcm.length / 2 / SAMPLE_RATE).toBeCloseTo(33.2, 1);
    expect(zeroCrossings(pcm, 0.5, 1.5)).toBeCloseTo(440, -1);
    expect(zeroCrossings(pcm, 2.5, 3.5)).toBeCloseTo(880, -1);
  });
});
