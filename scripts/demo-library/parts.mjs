// The parts of a song. `interval` is how far above concert pitch a part is written;
// `readers` names who plays from it.

import { midiOf, moveChord, moveKey, movePitch } from './pitch.mjs';

const MIDDLE_OF_STAFF = 71;

export const PARTS = {
  Concert: {
    suffix: 'Concert',
    name: 'C',
    readers: 'Piano, guitar, bass, flute, violin, voice',
    interval: { steps: 0, semitones: 0 },
    distance: 'Concert pitch',
  },
  Bb: {
    suffix: 'Bb',
    name: 'B♭',
    readers: 'Trumpet, clarinet, tenor sax, soprano sax',
    interval: { steps: 1, semitones: 2 },
    distance: 'Written a major second above concert pitch',
  },
  Eb: {
    suffix: 'Eb',
    name: 'E♭',
    readers: 'Alto sax, baritone sax',
    interval: { steps: 5, semitones: 9 },
    distance: 'Written a major sixth above concert pitch',
  },
  F: {
    suffix: 'F',
    name: 'F',
    readers: 'Horn',
    interval: { steps: 4, semitones: 7 },
    distance: 'Written a fifth above concert pitch',
  },
};

/**
 * The tune as `part` reads it. A transposed part that would climb out of the staff is
 * written an octave lower, and `distance` says so.
 */
export function transpose(tune, part) {
  const octaves = octavesFor(tune, part);
  const written = {
    steps: part.interval.steps + 7 * octaves,
    semitones: part.interval.semitones + 12 * octaves,
  };
  const move = (event) => ({
    ...event,
    pitch: event.pitch && movePitch(event.pitch, written),
    chord: event.chord && moveChord(event.chord, part.interval),
  });
  return {
    ...tune,
    key: moveKey(tune.key, part.interval),
    distance: octaves < 0 ? `${part.distance}, then an octave down` : part.distance,
    systems: tune.systems.map((system) => ({
      ...system,
      measures: system.measures.map((measure) => ({ ...measure, events: measure.events.map(move) })),
    })),
  };
}

function octavesFor(tune, part) {
  if (part.interval.semitones === 0) return 0;
  const heights = tune.systems
    .flatMap((system) => system.measures.flatMap((measure) => measure.events))
    .filter((event) => event.pitch)
    .map((event) => midiOf(event.pitch) + part.interval.semitones);
  const middle = (Math.min(...heights) + Math.max(...heights)) / 2;
  return Math.abs(middle - 12 - MIDDLE_OF_STAFF) < Math.abs(middle - MIDDLE_OF_STAFF) ? -1 : 0;
}
