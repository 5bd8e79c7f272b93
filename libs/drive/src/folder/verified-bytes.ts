import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ByteRange, Fingerprint } from '../provider.js';
import { fingerprintOf } from './look.js';
import { gone } from './verified-file.js';

const chunkBytes = 64 * 1024;

/**
 * A range of an open file. Before its last piece is given, the file is compared once more: when it was written to in the
 * meantime the stream fails with `revision_gone`, so nobody holds a complete answer made of two contents. That another file
 * took its place, or that it was deleted, does no harm: the open one stays as it is. Closes the file.
 */
export class VerifiedBytes extends Readable {
  private position: number;

  constructor(
    private readonly handle: FileHandle,
    private readonly range: ByteRange,
    private readonly fingerprint: Fingerprint,
  ) {
    super({ highWaterMark: chunkBytes });
    this.position = range.start;
  }

  override _read(): void {
    this.next().then(
      (bytes) => this.push(bytes),
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.handle.close().then(
      () => done(error),
      (closing: Error) => done(error ?? closing),
    );
  }

  private async next(): Promise<Buffer | null> {
    const wanted = this.range.end + 1 - this.position;
    if (wanted <= 0) return null;
    const buffer = Buffer.allocUnsafe(Math.min(wanted, chunkBytes));
    const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, this.position);
    if (bytesRead === 0) throw gone();
    this.position += bytesRead;
    const isLast = this.position > this.range.end;
    if (isLast && !(await this.isUnwritten())) throw gone();
    return buffer.subarray(0, bytesRead);
  }

  private async isUnwritten(): Promise<boolean> {
    const { size, mtimeNs } = fingerprintOf(await this.handle.stat({ bigint: true }));
    return size === this.fingerprint['size'] && mtimeNs === this.fingerprint['mtimeNs'];
  }
}
