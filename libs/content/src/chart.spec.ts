import { ChordProParser } from 'chordsheetjs';
import fc from 'fast-check';
import { anyString, storable } from '../test/arbitraries.js';
import { ChartWorker } from './chart-worker.js';
import { readChart } from './chart.js';

const worker = new ChartWorker(10_000);
afterAll(() => worker.close());

const read = (text: string) => readChart(Buffer.from(text), worker);

const piece = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  '%{',
  '|',
  ':',
  '\\',
  '\n',
  'title',
  'start_of_',
  'sot',
  'eot',
  'C#m7/G',
  '&',
  ' ',
  'la',
  '=',
  '"',
  '*',
  '{c: ',
  '{define: ',
);
/** A megabyte of chords: some tenths of a second of work. */
const endless = `${'[C]a'.repeat(50)}\n`.repeat(4900);

const song = fc
  .array(
    fc.constantFrom(
      '[C]',
      '[Am7/G]',
      '[hm]',
      '[N.C.]',
      '[*soft]',
      '[1]',
      'la la ',
      'la',
      '\n',
      '{key: D}\n',
      '{sog}\n| C . | G . |\n{eog}\n',
    ),
  )
  .map((pieces) => pieces.join(''));
const anyText = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  song,
  anyString,
);

describe('a chord chart', () => {
  it('tells its title, its people, how to play it and its chords', async () => {
    const { title, problem, chart } = await read(
      '{title: Amazing Grace}\n{artist: Anna}\n{artist: Ben}\n{composer: John Newton}\n{key: G}\n{tempo: 80 bpm}\n{time: 3/4}\n{capo: 2}\n{year: 1779}\n\n{start_of_verse}\nA[G]mazing [G7]grace how [C]sweet the [G]sound\n[D7]That saved\n{end_of_verse}\n',
    );
    expect(problem).toBeNull();
    expect(title).toBe('Amazing Grace');
    expect(chart).toEqual({
      artist: 'Anna, Ben',
      composer: 'John Newton',
      key: 'G',
      tempo: 80,
      time: '3/4',
      year: '1779',
      capo: 2,
      chords: ['G', 'G7', 'C', 'D7'],
      lines: 2,
    });
  });

  it('leaves unsaid what makes no sense', async () => {
    const { chart } = await read('{tempo: fast}\n{time: slow}\n{capo: 99}\n[C]la');
    expect(chart).toMatchObject({ tempo: null, time: null, capo: null, key: null });
  });

  it('may be words only, with tags that nobody knows', async () => {
    expect((await read('{x_lights: blue}\nla la la')).problem).toBeNull();
  });

  it.each([
    ['a bracket', 'one\nA[Gmazing grace\nthree', 'Line 2: a [ is not closed by a ].'],
    ['a brace', 'one\n{title: Amazing\nA[G]mazing', 'Line 2: a { is not closed by a }.'],
    ['the last bracket', 'one\nA[G]mazing [C', 'Line 2: a [ is not closed by a ].'],
    ['an empty tag', 'one\n{}\n', 'Line 2 is not ChordPro.'],
  ])('is broken by %s left open, and says where', async (_, text, reason) => {
    expect((await read(text)).problem).toEqual({ code: 'chordpro_broken', reason });
  });

  it('is broken when it is no text', async () => {
    expect((await readChart(Uint8Array.of(0x89, 0x50, 0, 1), worker)).problem?.code).toBe('chordpro_broken');
  });

  it.each(['\n \n', '{title: Soon}\n'])('is empty without a line of music: %j', async (text) => {
    expect((await read(text)).problem?.code).toBe('file_empty');
  });

  it('is too large with more lines than a song has', async () => {
    expect((await read('[C]la\n'.repeat(6000))).problem?.code).toBe('file_too_large_to_read');
  });

  it('gets a neutral verdict when the parser itself falls over', async () => {
    const { problem, fault } = await read('{__proto__: x}\n[C]la');
    expect(problem?.code).toBe('parse_failed');
    expect(problem?.reason).not.toMatch(/trim|function/);
    expect(fault).toBeTruthy();
  });

  it('cannot hold anybody up: past the time limit it is unreadable, and the next one is read', async () => {
    const hasty = new ChartWorker(20);
    const slow = readChart(Buffer.from(endless), hasty);
    expect((await slow).problem?.code).toBe('parse_failed');
    await hasty.close();
    expect((await read('[C]la')).problem).toBeNull();
  });

  it('is read again by a new thread when the old one was stopped', async () => {
    const one = new ChartWorker(10_000);
    expect((await readChart(Buffer.from('[C]la'), one)).problem).toBeNull();
    await one.close();
    expect((await readChart(Buffer.from('[C]la'), one)).problem).toBeNull();
    const stopped = readChart(Buffer.from('[C]la\n'.repeat(4000)), one);
    await Promise.resolve();
    await one.close();
    expect(['parse_failed', undefined]).toContain((await stopped).problem?.code);
    await one.close();
  });

  it('takes no one with it whose turn has not come, when its time is over', async () => {
    const hasty = new ChartWorker(400);
    const slow = hasty.parse(endless.repeat(20));
    const others = Array.from({ length: 20 }, (_, n) => hasty.parse(`[C]line ${n}\n`.repeat(n + 1)));
    expect((await slow).outcome).toBe('timed_out');
    expect(await Promise.all(others)).toEqual(
      others.map((_, n) => ({ outcome: 'parsed', metadata: {}, chords: ['C'], lines: n + 1 })),
    );
    await hasty.close();
  });

  it('that waits when the reader is closed ends as failed', async () => {
    const one = new ChartWorker(10_000);
    const all = Promise.all(Array.from({ length: 20 }, () => one.parse('[C]la\n'.repeat(2000))));
    await one.close();
    expect(new Set((await all).map(({ outcome }) => outcome))).toEqual(new Set(['failed']));
  });

  it('can be read and stored whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const reading = await read(text);
        expect(storable({ ...reading, fault: null })).toBe(true);
        expect(reading.chart === undefined).toBe(reading.problem !== null);
      }),
      { numRuns: 500 },
    );
  }, 30_000);

  it('holds what the library finds in it, though chords are not read anew wherever they stand', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const parse = await worker.parse(text);
        if (parse.outcome !== 'parsed') return;
        const song = new ChordProParser().parse(text);
        expect(parse).toEqual({
          outcome: 'parsed',
          metadata: { ...song.metadata.metadata },
          chords: song.getChords(),
          lines: song.lines.filter((line) => line.hasRenderableItems()).length,
        });
      }),
      { numRuns: 500 },
    );
  }, 30_000);

  it('can be judged whatever its bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        expect(storable((await readChart(bytes, worker)).problem)).toBe(true);
      }),
    );
  });
});
