import { problems, type Problem } from './problem.js';

/** How much of a recording must be read to know its format. */
export const audioHeadBytes = 4096;

/** Whether these first bytes are of a recording. Any format passes under any name: players look at the bytes as well. */
export function checkAudio(head: Buffer): Problem | null {
  return isContainer(head) || hasMp3Frame(head) ? null : problems.audioBroken();
}

function isContainer(head: Buffer): boolean {
  const four = head.toString('latin1', 0, 4);
  if (four.startsWith('ID3') || four === 'OggS' || four === 'fLaC') return true;
  if (four === 'RIFF') return head.toString('latin1', 8, 12) === 'WAVE';
  return head.toString('latin1', 4, 8) === 'ftyp';
}

/** A frame of MPEG audio, layer II or III, at the start or behind zero bytes that some encoders put first. */
function hasMp3Frame(head: Buffer): boolean {
  let at = 0;
  while (at < head.length && head[at] === 0) at++;
  const [sync = 0, version = 0, rate = 0] = head.subarray(at, at + 3);
  const isSync = sync === 0xff && (version & 0xe0) === 0xe0;
  const layer = (version & 0x06) >> 1;
  const isOther =
    (version & 0x18) === 0x08 || layer === 0 || layer === 3 || (rate & 0xf0) === 0xf0 || (rate & 0x0c) === 0x0c;
  return isSync && !isOther;
}
