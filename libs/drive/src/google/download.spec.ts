import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { download } from './download.js';
import type { GoogleApi } from './google-api.js';

const bytes = Buffer.from('0123456789');
const never = new AbortController().signal;

/** Sends from the beginning whatever is asked for, in small pieces, and breaks off the first answers. */
function heedless(breaks: number): { api: GoogleApi; starts: number[] } {
  const starts: number[] = [];
  async function* body(breaksOff: boolean): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 3) {
      if (breaksOff && at >= 6) throw new Error('terminated');
      yield bytes.subarray(at, at + 3);
    }
  }
  const api = {
    download: async (_: string, { start }: { start: number }) => {
      starts.push(start);
      return { body: body(starts.length <= breaks), start: 0 };
    },
  };
  return { api: api as unknown as GoogleApi, starts };
}

it('finds its place again in answers that begin at the first byte, whatever was asked for', async () => {
  const { api, starts } = heedless(1);
  let hash = '';
  const stream = download(api, 'id', { start: 1, end: 8 }, (sha256) => void (hash = sha256), never);
  expect((await buffer(stream)).toString()).toBe('12345678');
  expect(hash).toBe(createHash('sha256').update('12345678').digest('hex'));
  expect(starts).toEqual([1, 6]);
});

it('gives up on a file of which every answer breaks off at the same place', async () => {
  const { api } = heedless(Infinity);
  const stream = download(api, 'id', { start: 0, end: 9 }, () => undefined, never);
  await expect(buffer(stream)).rejects.toMatchObject({ code: 'drive_unreachable', retryable: true });
});

/** Answers each request with what `answer` makes of where it is to begin. */
function answering(answer: (start: number) => { start: number | null; pieces: Iterable<Uint8Array> }): GoogleApi {
  async function* body(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  const api = {
    download: async (_: string, { start }: { start: number }) => {
      const answered = answer(start);
      return { body: body(answered.pieces), start: answered.start };
    },
  };
  return api as unknown as GoogleApi;
}

it.each([true, false])(
  'is whole though every answer brings few bytes, of the part that was asked for: %s',
  async (isPart) => {
    for (let few = 1; few <= bytes.length; few += 1) {
      const api = answering((start) =>
        isPart
          ? { start, pieces: [bytes.subarray(start, start + few)] }
          : { start: 0, pieces: [bytes.subarray(0, start + few)] },
      );
      const stream = download(api, 'id', { start: 0, end: 9 }, () => undefined, never);
      expect((await buffer(stream)).toString()).toBe('0123456789');
    }
  },
);

it('takes no bytes of which Google does not say where they belong', async () => {
  let times = 0;
  const api = answering((start) => {
    times += 1;
    return times === 1 ? { start: null, pieces: [Buffer.from('abc')] } : { start, pieces: [bytes.subarray(start)] };
  });
  const stream = download(api, 'id', { start: 0, end: 9 }, () => undefined, never);
  expect((await buffer(stream)).toString()).toBe('0123456789');
});

it('reads no more of an answer than was asked for, though it has no end', async () => {
  function* endless(): Generator<Uint8Array> {
    for (;;) yield bytes;
  }
  const api = answering(() => ({ start: 0, pieces: endless() }));
  const stream = download(api, 'id', { start: 1, end: 8 }, () => undefined, never);
  expect((await buffer(stream)).toString()).toBe('12345678');
}, 2_000);
