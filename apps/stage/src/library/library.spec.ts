import { chartOf, file } from '../../test/file.js';
import { buildLibrary, firstFile, initialOf, searchSongs } from './library.js';

const today = '2026-11-23';
const setlist = (fileId: string, date: string | null) =>
  file(fileId, {
    kind: 'setlist',
    songId: null,
    title: fileId,
    setlist: { date, venue: null, note: null, sets: [{ name: null, entries: [{ title: 'X', songId: 'x', note: null }] }] },
  });

describe('the library', () => {
  it('gathers the files of a song: its chart, then its parts, then its recordings', () => {
    const files = [
      file('3', { kind: 'audio', title: 'Amazing Grace' }),
      file('2', { kind: 'part', pitch: 'Bb', audience: 'Bb' }),
      file('1', { chart: chartOf({ artist: 'Traditional', key: 'G', tempo: 80, time: '3/4' }) }),
    ];
    const { songs } = buildLibrary(files, 'b1', today);
    expect(songs).toHaveLength(1);
    expect(songs[0]).toMatchObject({ title: 'Amazing Grace', by: 'Traditional', key: 'G', tempo: 80, time: '3/4' });
    expect(songs[0]!.files.map(({ fileId }) => fileId)).toEqual(['1', '2', '3']);
  });

  it('takes the key of a song from the concert chart, not from a transposed one', () => {
    const files = [
      file('a', { pitch: 'Bb', audience: 'Bb', chart: chartOf({ key: 'A' }) }),
      file('b', { pitch: 'Concert', chart: chartOf({ key: 'G' }) }),
    ];
    expect(buildLibrary(files, 'b1', today).songs[0]!.key).toBe('G');
  });

  it('lists a song of which nothing can be read, under the title of its files', () => {
    const broken = file('1', { kind: 'part', readable: false, problem: { code: 'pdf_broken', reason: 'The PDF breaks off.' } });
    const { songs } = buildLibrary([broken], 'b1', today);
    expect(songs[0]).toMatchObject({ title: 'Amazing Grace', key: null });
    expect(firstFile(songs[0]!, [])).toBeNull();
  });

  it('sorts songs as people look for them', () => {
    const titles = ['Zebra', 'À la claire fontaine', 'amazing Grace', "'Round Midnight", 'Song 10', 'Song 9'];
    const files = titles.map((title, index) => file(String(index), { songId: `s${index}`, title }));
    const { songs } = buildLibrary(files, 'b1', today);
    expect(songs.map(({ title }) => title)).toEqual(['À la claire fontaine', 'amazing Grace', "'Round Midnight", 'Song 9', 'Song 10', 'Zebra']);
    expect(songs.map(initialOf)).toEqual(['A', 'A', 'R', 'S', 'S', 'Z']);
  });

  it('shows the next gig first and those played last', () => {
    const files = [setlist('old', '2026-01-01'), setlist('older', '2025-01-01'), setlist('later', '2027-02-20'), setlist('undated', null), setlist('next', today)];
    expect(buildLibrary(files, 'b1', today).setlists.map(({ title }) => title)).toEqual(['next', 'later', 'undated', 'old', 'older']);
  });

  it('keeps apart what fits no name, and leaves out other bands', () => {
    const files = [file('1', { kind: 'unknown', songId: null, title: 'notes.docx' }), file('2', {}, { bandId: 'b2' })];
    const { songs, unsorted } = buildLibrary(files, 'b1', today);
    expect(songs).toEqual([]);
    expect(unsorted.map(({ fileId }) => fileId)).toEqual(['1']);
  });

  it('opens the part of the own instrument first, then the chart', () => {
    const files = [file('chart', {}), file('Eb', { kind: 'part', pitch: 'Eb' }), file('Bb', { kind: 'part', pitch: 'Bb' })];
    const song = buildLibrary(files, 'b1', today).songs[0]!;
    expect(firstFile(song, ['Bb'])?.fileId).toBe('Bb');
    expect(firstFile(song, ['F'])?.fileId).toBe('chart');
  });
});

describe('searching', () => {
  const { songs } = buildLibrary(
    [
      file('1', { songId: 'a', title: 'À la claire fontaine' }),
      file('2', { songId: 'b', title: "Bill Bailey, Won't You Please Come Home", chart: chartOf({ composer: 'Hughie Cannon' }) }),
      file('3', { songId: 'c', title: 'Danny Boy' }),
    ],
    'b1',
    today,
  );
  const found = (query: string): string[] => searchSongs(songs, query).map(({ songId }) => songId);

  it('finds by the beginnings of words, in any order, without accents', () => {
    expect(found('a claire')).toEqual(['a']);
    expect(found('boy dan')).toEqual(['c']);
    expect(found('wont')).toEqual(['b']);
    expect(found('Ly')).toEqual([]);
  });

  it('finds by composer', () => expect(found('cannon')).toEqual(['b']));
  it('finds everything where nothing is asked', () => expect(found('  ')).toHaveLength(3));
});
