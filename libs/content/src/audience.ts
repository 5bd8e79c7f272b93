import type { Role } from '@soleil/bus';
import type { Pitch } from '@soleil/sync-protocol';
import type { FileName } from './file-name.js';

/** Who sees what the rest of the band should not be bothered with. */
export const leaderAudience = 'leader';

const pitches: readonly Pitch[] = ['Concert', 'Bb', 'Eb', 'F'];

/** Everything not named here reads concert pitch: piano, guitar, bass, drums, violin, flute, trombone, voice, oboe, … */
const transposing = new Map<string, Pitch>([
  ['trumpet', 'Bb'],
  ['cornet', 'Bb'],
  ['flugelhorn', 'Bb'],
  ['fluegelhorn', 'Bb'],
  ['tenor sax', 'Bb'],
  ['soprano sax', 'Bb'],
  ['bass sax', 'Bb'],
  ['clarinet', 'Bb'],
  ['bass clarinet', 'Bb'],
  ['alto sax', 'Eb'],
  ['baritone sax', 'Eb'],
  ['bari sax', 'Eb'],
  ['sopranino sax', 'Eb'],
  ['alto horn', 'Eb'],
  ['tenor horn', 'Eb'],
  ['horn', 'F'],
  ['french horn', 'F'],
  ['english horn', 'F'],
  ['cor anglais', 'F'],
]);

const named = new Map<string, Pitch>([
  ['bb', 'Bb'],
  ['b flat', 'Bb'],
  ['eb', 'Eb'],
  ['e flat', 'Eb'],
  ['f', 'F'],
]);

/**
 * The audiences of a band that somebody belongs to, besides the band as a whole. An instrument that is not known reads
 * concert pitch, unless its key is named (`E♭ clarinet`, `horn in F`); who doubles (`alto sax / flute`) reads both. A
 * leader sees everything.
 */
export function audiencesFor(instrument: string, role: Role): string[] {
  if (role === 'leader') return [...pitches, leaderAudience];
  const read = new Set(instrument.split(/[/,;+&]/).map(pitchOf));
  return pitches.filter((pitch) => read.has(pitch));
}

/** The audience that a file is for by its name; null: the whole band. */
export function audienceOfName(name: FileName): string | null {
  if (name.misfit || name.kind === 'placeholder') return leaderAudience;
  if (name.kind === 'part') return name.pitch;
  return name.kind === 'chart' && name.pitch !== 'Concert' ? name.pitch : null;
}

function pitchOf(instrument: string): Pitch {
  const words = instrument
    .slice(0, 100)
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/saxophone/g, 'sax')
    .replace(/♭/g, 'b')
    .replace(/[^a-z]+/g, ' ')
    .trim();
  const key = /(?:^| in )(bb|b flat|eb|e flat|f)(?= |$)/.exec(words)?.[1];
  return named.get(key ?? '') ?? transposing.get(words) ?? 'Concert';
}
