import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LibraryFile {
  name: string;
  bytes: Buffer;
}

const kib = 1024;

/**
 * A library like a band's: 70 % chord charts of up to 10 KB, 25 % PDF of 100 to 500 KB, 5 % recordings. Every file has bytes of its own.
 * @param audioBytes of each recording
 */
export function* libraryOf(many: number, audioBytes: number): Generator<LibraryFile> {
  for (let n = 0; n < many; n++) {
    const place = n % 20;
    if (place < 14) yield { name: `Song ${n}_Concert.cho`, bytes: Buffer.from(chart(n)) };
    else if (place < 19) yield { name: `Song ${n}_Bb.pdf`, bytes: page(n, (100 + ((n * 37) % 400)) * kib) };
    else yield { name: `Song ${n}.mp3`, bytes: filled(n, audioBytes, 'ID3') };
  }
}

export async function writeLibrary(directory: string, many: number, audioBytes: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const { name, bytes } of libraryOf(many, audioBytes)) await writeFile(join(directory, name), bytes);
}

export const chart = (n: number, take = 0): string =>
  `{title: Song ${n}}\n{subtitle: take ${take}}\n{key: C}\n\n` +
  `[C]Down by the [F]water the [G]number is [C]${n}\n`.repeat(20 + (n % 100));

const page = (n: number, bytes: number): Buffer => filled(n, bytes, '%PDF-1.4\n', '\n%%EOF\n');

function filled(n: number, bytes: number, begin: string, end = ''): Buffer {
  const buffer = Buffer.alloc(bytes, createHash('sha256').update(String(n)).digest());
  buffer.write(begin);
  buffer.write(end, bytes - end.length);
  return buffer;
}
