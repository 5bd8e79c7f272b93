import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Fingerprint } from '../provider.js';
import { fingerprintOf, sameFingerprint } from './look.js';

const chunkBytes = 256 * 1024;

/**
 * SHA-256 of an open file, hex, read in pieces.
 * @returns null when the file is not, or does not stay, the one with this fingerprint: then its bytes may be of two contents
 */
export async function hashFile(handle: FileHandle, fingerprint: Fingerprint): Promise<string | null> {
  const isThat = async (): Promise<boolean> =>
    sameFingerprint(fingerprintOf(await handle.stat({ bigint: true })), fingerprint);
  if (!(await isThat())) return null;
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Number(fingerprint.size) + 1));
  for (let position = 0; ;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return (await isThat()) ? hash.digest('hex') : null;
}
