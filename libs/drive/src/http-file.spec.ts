import type { DriveFile } from '@soleil/bus';
import fc from 'fast-check';
import { contentDisposition } from './content-disposition.js';
import { serveFile } from './http-file.js';
import { mimeTypeOf } from './mime-type.js';

const file: DriveFile = {
  fileId: 'f',
  bandId: 'b',
  path: 'songs/Amazing Grace_Bb.pdf',
  size: 1_000,
  hash: 'abc',
  mimeType: 'application/pdf',
  revision: 3,
  modifiedAt: '2026-11-23T10:00:00.500Z',
  problem: null,
  hasNewerNamesake: false,
};

it('serves the whole file, with all that a device needs to keep it', () => {
  expect(serveFile({}, file)).toEqual({
    status: 200,
    range: { start: 0, end: 999 },
    headers: {
      ETag: '"abc"',
      'Last-Modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
      'Cache-Control': 'private, no-cache',
      'Accept-Ranges': 'bytes',
      'Content-Type': 'application/pdf',
      'Content-Length': '1000',
      'Content-Disposition': `inline; filename="Amazing Grace_Bb.pdf"; filename*=UTF-8''Amazing%20Grace_Bb.pdf`,
      'X-Content-Type-Options': 'nosniff',
    },
  });
});

it.each(['"abc"', 'W/"abc"', '"x", "abc"', '*', ' "y" , W/"abc" '])('has nothing new for who has %s', (tags) => {
  expect(serveFile({ 'if-none-match': tags, range: 'bytes=0-1' }, file)).toMatchObject({
    status: 304,
    headers: { ETag: '"abc"' },
  });
});

it.each(['"abd"', 'abc', ''])('serves who has %j', (tags) => {
  expect(serveFile({ 'if-none-match': tags }, file).status).toBe(200);
});

it.each([
  ['bytes=0-99', 0, 99],
  ['bytes=900-', 900, 999],
  ['bytes=-100', 900, 999],
  ['bytes=-5000', 0, 999],
  ['bytes=990-5000', 990, 999],
  ['BYTES = 0 - 0', 0, 0],
  ['bytes=999-99999999999999999999999999', 999, 999],
])('serves the range %s', (range, start, end) => {
  expect(serveFile({ range }, file)).toMatchObject({
    status: 206,
    range: { start, end },
    headers: { 'Content-Range': `bytes ${start}-${end}/1000`, 'Content-Length': String(end - start + 1) },
  });
});

it.each(['bytes=1000-', 'bytes=1000-1001', 'bytes=-0'])('cannot satisfy the range %s', (range) => {
  const answer = serveFile({ range }, file);
  expect(answer).toMatchObject({ status: 416, headers: { 'Content-Range': 'bytes */1000' } });
  expect(answer.range).toBeUndefined();
});

it.each(['bytes=5-4', 'bytes=0-1,5-6', 'bytes=', 'bytes=-', 'bytes=a-b', 'items=0-5', ''])(
  'ignores the range %j',
  (range) => {
    expect(serveFile({ range }, file)).toMatchObject({ status: 200, range: { start: 0, end: 999 } });
  },
);

it('resumes a download only of the same bytes', () => {
  expect(serveFile({ range: 'bytes=5-', 'if-range': '"abc"' }, file).status).toBe(206);
  for (const condition of ['"old"', 'W/"abc"', 'Mon, 23 Nov 2026 10:00:00 GMT']) {
    expect(serveFile({ range: 'bytes=5-', 'if-range': condition }, file).status).toBe(200);
  }
});

it('serves an empty file, of which there is no range', () => {
  const empty = { ...file, size: 0 };
  expect(serveFile({}, empty)).toMatchObject({ status: 200, headers: { 'Content-Length': '0' } });
  expect(serveFile({}, empty).range).toBeUndefined();
  expect(serveFile({ range: 'bytes=0-' }, empty).status).toBe(416);
  expect(serveFile({ range: 'bytes=-1' }, empty).status).toBe(416);
});

it('never serves a range outside the file, whatever is asked', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(2_000), (range, size) => {
      for (const asked of [range, `bytes=${range}`]) {
        const answer = serveFile({ range: asked }, { ...file, size });
        if (!answer.range) continue;
        expect(answer.range.start).toBeGreaterThanOrEqual(0);
        expect(answer.range.end).toBeLessThan(size);
        expect(answer.headers['Content-Length']).toBe(String(answer.range.end - answer.range.start + 1));
      }
    }),
  );
});

it('names the file for old and new readers', () => {
  expect(contentDisposition('songs/Für Élise “live”.cho')).toBe(
    `inline; filename="Fur Elise _live_.cho"; filename*=UTF-8''F%C3%BCr%20%C3%89lise%20%E2%80%9Clive%E2%80%9D.cho`,
  );
  expect(contentDisposition(`it's (a) "b"\\c%41*.cho`)).toBe(
    `inline; filename="it's (a) _b__c_41*.cho"; filename*=UTF-8''it%27s%20%28a%29%20%22b%22%5Cc%2541%2A.cho`,
  );
});

it('makes one clean header line of any name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(contentDisposition(name)).toMatch(/^inline; filename="[^"\\]*"; filename\*=UTF-8''[\w.~!%-]*$/);
      expect(contentDisposition(name)).toMatch(/^[\x20-\x7e]*$/);
    }),
  );
});

it.each([
  ['a.CHO', 'text/plain; charset=utf-8'],
  ['songs.pdf/a', 'application/octet-stream'],
  ['a.html', 'application/octet-stream'],
  ['a.svg', 'application/octet-stream'],
  ['a.constructor', 'application/octet-stream'],
  ['pdf', 'application/octet-stream'],
  ['a.b.mp3', 'audio/mpeg'],
])('takes %s for %s', (path, type) => expect(mimeTypeOf(path)).toBe(type));
