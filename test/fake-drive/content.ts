import { createHash } from 'node:crypto';

/** The bytes of one revision. */
export interface Content {
  readonly size: number;
  /** Hex, as Drive tells them. */
  readonly md5: string;
  readonly sha256: string;
  /** The bytes `start` to `end`, `end` excluded, in pieces. */
  read(start: number, end: number): Iterable<Uint8Array>;
}

const pieceBytes = 64 * 1024;
/** A prime, so that no two pieces of the pattern that begin at powers of two are alike. */
const period = 251;

export function contentOf(data: string | Uint8Array): Content {
  const bytes = Buffer.from(data);
  return {
    size: bytes.length,
    md5: createHash('md5').update(bytes).digest('hex'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    *read(start, end) {
      for (let at = start; at < end; at += pieceBytes) yield bytes.subarray(at, Math.min(at + pieceBytes, end));
    },
  };
}

/** Content of any size that is made while it is read: `head`, and then byte `i` is `i % 251`. Nothing of it is held. */
export function generatedContent(size: number, head = ''): Content {
  const begin = Buffer.from(head, 'latin1');
  function* read(start: number, end: number): Iterable<Uint8Array> {
    if (start < begin.length) yield begin.subarray(start, end);
    for (let at = Math.max(start, begin.length); at < end; at += pieceBytes) {
      const from = at % period;
      yield pattern.subarray(from, from + Math.min(pieceBytes, end - at));
    }
  }
  // A checksum of gigabytes takes seconds, so it is made when somebody asks for it, once.
  const checksums = new Map<string, string>();
  const checksum = (algorithm: string): string => {
    if (!checksums.has(algorithm)) {
      const hash = createHash(algorithm);
      for (const piece of read(0, size)) hash.update(piece);
      checksums.set(algorithm, hash.digest('hex'));
    }
    return checksums.get(algorithm)!;
  };
  return {
    size,
    get md5() {
      return checksum('md5');
    },
    get sha256() {
      return checksum('sha256');
    },
    read,
  };
}

/** A period longer than a piece, so that a piece may begin anywhere in the pattern. */
const pattern = new Uint8Array(pieceBytes + period).map((_, i) => i % period);
