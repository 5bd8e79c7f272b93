// MP3 is written by `lame`, a tool of the build, not of the project. So that an old recording can be
// told from a current one without it, every file carries in its ID3 comment a stamp of what it was made from.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SAMPLE_RATE, play } from './synth.mjs';

const SYNTH_SOURCE = new URL('./synth.mjs', import.meta.url);
const KBITS = 64;
// A checkout on Windows may have turned the line ends; that makes no other sound.
const synthSource = readFileSync(SYNTH_SOURCE, 'utf8').replaceAll('\r\n', '\n');

export function hasEncoder() {
  return spawnSync('lame', ['--version']).status === 0;
}

/** Sixteen hex digits that change with the tune or with the way it is played. */
export function stampOf(tuneText) {
  return createHash('sha256').update(tuneText).update(synthSource).digest('hex').slice(0, 16);
}

export function isCurrent(mp3, stamp) {
  return mp3.subarray(0, 1024).includes(stamp, 0, 'latin1');
}

/** The tune as MP3, mono, 64 kbit/s. @throws Error when the encoder fails */
export function record(tune) {
  const args = [
    ...['--quiet', '-r', '-s', String(SAMPLE_RATE / 1000), '--bitwidth', '16', '--signed', '--little-endian'],
    ...['-m', 'm', '--cbr', '-b', String(KBITS), '--id3v2-only', '--id3v2-latin1'],
    ...['--tt', tune.title, '--ta', 'SOLEil demo band', '--tc', tune.stamp, '-', '-'],
  ];
  const { status, stdout, stderr } = spawnSync('lame', args, { input: play(tune), maxBuffer: 16 * 1024 * 1024 });
  if (status !== 0) throw new Error(`lame failed on "${tune.title}": ${stderr}`);
  return stdout;
}
