import { changesIn, filledFrom, type Settings } from './band-settings.js';

const nothing: Settings = {
  intervalSeconds: null,
  fileTypes: null,
  largestBytes: null,
  sameName: null,
  operationsPerMinute: null,
};

test('minutes and megabytes stand for seconds and bytes, nothing for the default', () => {
  expect(filledFrom({ ...nothing, intervalSeconds: 90, largestBytes: 25_000_000 })).toMatchObject({
    minutes: '1.5',
    megabytes: '25',
  });
  expect(filledFrom(nothing)).toMatchObject({ minutes: '', megabytes: '', isEveryType: true });
  expect(changesIn({ ...filledFrom(nothing), minutes: '0.5', megabytes: '1.5', filesPerMinute: '12' }, nothing)).toEqual({
    operationsPerMinute: 12,
    intervalSeconds: 30,
    largestBytes: 1_500_000,
  });
  const chosen = { ...nothing, intervalSeconds: 30, largestBytes: 7 };
  expect(changesIn({ ...filledFrom(chosen), minutes: '', megabytes: '' }, chosen)).toEqual({
    intervalSeconds: null,
    largestBytes: null,
  });
});

test('what nobody touched is not sent, however it was written', () => {
  const odd = { ...nothing, intervalSeconds: 10, fileTypes: ['docx', 'mp3'], largestBytes: 123 };
  expect(changesIn(filledFrom(odd), odd)).toEqual({});
});

test('all files with one name are shown, unless somebody chose the newest', () => {
  const newest = { ...filledFrom(nothing), sameName: 'newest' } as const;
  expect(changesIn(newest, nothing)).toEqual({ sameName: 'newest' });
  expect(changesIn(newest, { ...nothing, sameName: 'newest' })).toEqual({});
  expect(changesIn(filledFrom(nothing), { ...nothing, sameName: 'newest' })).toEqual({ sameName: 'all' });
  expect(changesIn(filledFrom(nothing), { ...nothing, sameName: 'all' })).toEqual({});
});

test('types are chosen by group, and those the form does not know stay', () => {
  const only = { ...filledFrom(nothing), isEveryType: false };
  expect(changesIn({ ...only, groups: ['Sheet music (PDF)', 'Setlists'] }, nothing)).toEqual({
    fileTypes: ['pdf', 'setlist'],
  });
  const odd = { ...nothing, fileTypes: ['docx', 'pdf'] };
  expect(filledFrom(odd).groups).toEqual(['Sheet music (PDF)']);
  expect(changesIn({ ...filledFrom(odd), groups: ['Setlists'] }, odd)).toEqual({ fileTypes: ['setlist', 'docx'] });
  expect(changesIn({ ...filledFrom(odd), isEveryType: true }, odd)).toEqual({ fileTypes: null });
});
