import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Fingerprint } from '../provider.js';
import { fingerprintOf, sameFingerprint } from './look.js';

const chunkBytes = 256 * 1024;

/**
 * SHA-256 of an open file, hex, read in pieces.
 * @param fingerprint of the file as it was opened
 * @returns null when it did not stay as it was: then its bytes may be of two contents
 */
export async function hashFile(handle: FileHandle, fingerprint: Fingerprint): Promise<string | null> {
  const size = Number(fingerprint['size']);
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size));
  for (let position = 0; position < size;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return null;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  const now = fingerprintOf(await handle.stat({ bigint: true }));
  return sameFingerprint(now, fingerprint) ? hash.digest('hex') : null;
}
