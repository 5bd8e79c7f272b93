import fc from 'fast-check';
import { anyString, plainTitle, storable } from '../test/arbitraries.js';
import { readSetlist } from './setlist.js';
import { songId } from './song-id.js';

const read = (text: string, name = 'Gig') => readSetlist(Buffer.from(text), name);

describe('a setlist', () => {
  it('has a title, headers, sets and entries with notes', () => {
    const { title, problem, setlist } = read(
      '\ufeff# Winter Ball\r\ndate: 2026-12-05\r\nVenue: Town Hall\r\nnote: Black suits; load-in 17:30\r\n\r\n## Set 1\r\nAmazing Grace    | slow\r\nDown_by the Riverside  \r\n## Encore\r\nÀ la claire fontaine\r\n',
    );
    expect(problem).toBeNull();
    expect(title).toBe('Winter Ball');
    expect(setlist).toEqual({
      date: '2026-12-05',
      venue: 'Town Hall',
      note: 'Black suits; load-in 17:30',
      sets: [
        {
          name: 'Set 1',
          entries: [
            { title: 'Amazing Grace', songId: 'amazing-grace', note: 'slow' },
            { title: 'Down by the Riverside', songId: 'down-by-the-riverside', note: null },
          ],
        },
        { name: 'Encore', entries: [{ title: 'À la claire fontaine', songId: 'a-la-claire-fontaine', note: null }] },
      ],
    });
  });

  it('takes title and date from its name where it has none', () => {
    const { title, setlist } = read('Shenandoah', '2026-12-05 Winter Ball');
    expect(title).toBe('Winter Ball');
    expect(setlist?.date).toBe('2026-12-05');
    expect(setlist?.sets).toEqual([{ name: null, entries: [{ title: 'Shenandoah', songId: 'shenandoah', note: null }] }]);
  });

  it('leaves out lines that cannot be understood and keeps the rest', () => {
    const { problem, setlist } = read(
      'date: soon\ndrummer: Bob\n### ?\n| a note to nothing\n# Gig\n##\nCorcovado: Quiet Nights\n# another title\nDaisy Bell |\n',
    );
    expect(problem).toBeNull();
    expect(setlist?.date).toBeNull();
    expect(setlist?.sets.map(({ entries }) => entries.map(({ title }) => title))).toEqual([
      ['Corcovado: Quiet Nights', 'Daisy Bell'],
    ]);
  });

  it('does not believe in a 30th of February', () => {
    expect(read('date: 2026-02-30\nDaisy Bell').setlist?.date).toBeNull();
  });

  it('is unreadable without a song, as bytes that are no text, and when it would not fit into a message', () => {
    expect(read('# Gig\n## Set 1\n').problem?.code).toBe('setlist_empty');
    expect(readSetlist(Uint8Array.of(0, 1, 2), 'Gig').problem?.code).toBe('setlist_broken');
    expect(read('a\n'.repeat(500_000)).problem?.code).toBe('file_too_large_to_read');
    expect(read(`## s\nAmazing Grace | ${'slow '.repeat(100)}\n`.repeat(900)).problem?.code).toBe('file_too_large_to_read');
  });

  it('gives back the songs it was written of', () => {
    fc.assert(
      fc.property(fc.array(plainTitle, { minLength: 1, maxLength: 30 }), (titles) => {
        const { setlist } = read(['# Gig', '## Set', ...titles].join('\n'));
        expect(setlist?.sets[0]?.entries).toEqual(
          titles.map((title) => ({ title: title.normalize('NFC'), songId: songId(title), note: null })),
        );
      }),
    );
  });

  it('can be read and stored whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('', '# ', '##', 'date:', 'a: ', '|'), anyString), { maxLength: 20 }),
        (lines) => {
          const reading = read(lines.map((line) => line.join('')).join('\n'));
          expect(storable(reading)).toBe(true);
          expect(reading.setlist === undefined).toBe(reading.problem !== null);
        },
      ),
    );
  });
});
