import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as timer } from 'node:timers/promises';
import { DriveError } from '../drive-error.js';
import type { ByteRange } from '../provider.js';
import type { GoogleApi } from './google-api.js';
import { waitMs } from './pacing.js';

/** So often in a row a connection may break without having brought a byte. */
const fruitlessAttempts = 3;

/**
 * The bytes `range` of a file, over as many connections as it takes: one that breaks is followed by one that goes on where
 * it stopped. The last piece is given only when `verify` has not objected to what was read.
 * @param verify gets the SHA-256, hex, of all that was read; throws when these are not the bytes that are wanted
 */
export function download(
  api: GoogleApi,
  fileId: string,
  range: ByteRange,
  verify: (sha256: string) => void | Promise<void>,
  stopping: AbortSignal,
): Readable {
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, stopping]);
  const stream = Readable.from(pieces(api, fileId, range, verify, signal), { objectMode: false });
  stream.once('close', () => abort.abort());
  return stream;
}

async function* pieces(
  api: GoogleApi,
  fileId: string,
  { start, end }: ByteRange,
  verify: (sha256: string) => void | Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let position = start;
  let held: Buffer | null = null;
  for (let fruitless = 0; position <= end;) {
    const before = position;
    try {
      const answer = await api.download(fileId, { start: position, end }, signal);
      let skip = position - (answer.start ?? Infinity);
      for await (const chunk of answer.body) {
        // Nobody knows where these bytes belong, or those before them are missing.
        if (skip < 0) break;
        const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).subarray(
          skip,
          skip + end + 1 - position,
        );
        skip = Math.max(0, skip - chunk.byteLength);
        if (piece.length === 0) continue;
        hash.update(piece);
        position += piece.length;
        if (held) yield held;
        held = piece;
        // There may be more than was asked for, without end.
        if (position > end) break;
      }
    } catch (error) {
      if (error instanceof DriveError) throw error;
      signal.throwIfAborted();
    }
    fruitless = position > before ? 0 : fruitless + 1;
    if (fruitless >= fruitlessAttempts)
      throw new DriveError('drive_unreachable', 'Google Drive breaks off every download of this file.');
    // Who has lost interest meanwhile is told by the next request.
    if (fruitless > 0) await timer(waitMs(fruitless), undefined, { signal }).catch(() => undefined);
  }
  await verify(hash.digest('hex'));
  if (held) yield held;
}
