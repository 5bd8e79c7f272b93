// Plays a tune: the melody as a plain reed-like tone, under it a bass note on every strong beat and
// the chord softly on the others. Made for practicing along, not for beauty.

import { midiOf, parsePitch } from './pitch.mjs';
import { barTicks, beatTicks } from './tune.mjs';

export const SAMPLE_RATE = 44100;
const SHORTEST_SECONDS = 30;
const TAIL_SECONDS = 1.2;
const LOUDEST = 29_000;
const WAVE_POINTS = 8192;
const MELODY = { wave: waveOf([1, 0.45, 0.32, 0.14, 0.08]), attack: 0.02, release: 0.09, decay: 0.35, gain: 0.3 };
const BASS = { wave: waveOf([1, 0.5, 0.18]), attack: 0.008, release: 0.12, decay: 1.6, gain: 0.26 };
const CHORD = { wave: waveOf([1, 0.3, 0.1]), attack: 0.01, release: 0.1, decay: 2.6, gain: 0.07 };
const QUALITIES = { '': [0, 4, 7], 7: [0, 4, 7, 10], m: [0, 3, 7], m7: [0, 3, 7, 10], dim: [0, 3, 6, 9] };

/** The tune as signed 16-bit mono samples, little endian; played again until it lasts half a minute. */
export function play(tune) {
  const { sounds, ticks } = score(tune);
  const secondsPerTick = 60 / tune.tempo / beatTicks(tune.time);
  const rounds = Math.max(1, Math.ceil(SHORTEST_SECONDS / (ticks * secondsPerTick)));
  const at = (tick) => swung(tick, tune) * secondsPerTick;
  const mix = new Float64Array(Math.ceil((at(ticks * rounds) + TAIL_SECONDS) * SAMPLE_RATE));
  for (let round = 0; round < rounds; round += 1) {
    for (const { voice, midi, start, end } of sounds) {
      strike(mix, voice, midi, at(start + round * ticks), at(end + round * ticks));
    }
  }
  return toPcm(mix);
}

/** Every sound of one round, { voice, midi, start, end } in ticks from the first note, and the round's length. */
function score(tune) {
  const measures = tune.systems.flatMap((system) => system.measures);
  const sounds = [];
  const chords = [];
  let tick = 0;
  let melody = null;
  for (const event of measures.flatMap((measure) => measure.events)) {
    if (event.chord) chords.push({ start: tick, chord: event.chord });
    if (event.held) melody.end += event.ticks;
    else if (event.pitch) {
      melody = { voice: MELODY, midi: midiOf(event.pitch), start: tick, end: tick + event.ticks };
      sounds.push(melody);
    }
    tick += event.ticks;
  }
  return { sounds: [...sounds, ...accompany(tune, chords, tick)], ticks: tick };
}

function accompany(tune, chords, ticks) {
  const bar = barTicks(tune.time);
  const beat = beatTicks(tune.time);
  const beatsPerBar = bar / beat;
  const sounds = [];
  for (let start = tune.pickupTicks; start < ticks; start += beat) {
    const current = chords.findLast((entry) => entry.start <= start);
    if (!current) continue;
    const index = ((start - tune.pickupTicks) / beat) % beatsPerBar;
    const root = midiOf(parsePitch(`${current.chord.root}4`)) % 12;
    const end = start + beat * 0.9;
    const isStrong = index === 0 || (beatsPerBar === 4 && index === 2);
    if (isStrong) sounds.push({ voice: BASS, midi: 36 + root + (index === 0 ? 0 : 7), start, end });
    if (isStrong && beatsPerBar > 2) continue;
    for (const interval of QUALITIES[current.chord.quality] ?? QUALITIES['']) {
      const pitchClass = (root + interval) % 12;
      sounds.push({ voice: CHORD, midi: (pitchClass < 5 ? 60 : 48) + pitchClass, start, end });
    }
  }
  return sounds;
}

/** In swing the second eighth of a beat comes late, on the third triplet. */
function swung(tick, { swing, time }) {
  if (!swing) return tick;
  const beat = beatTicks(time);
  const within = tick % beat;
  const half = beat / 2;
  const late = within < half ? (within * 4) / 3 : beat - ((beat - within) * 2) / 3;
  return tick - within + late;
}

function strike(mix, { wave, attack, release, decay, gain }, midi, start, end) {
  const step = (WAVE_POINTS * 440 * 2 ** ((midi - 69) / 12)) / SAMPLE_RATE;
  const first = Math.round(start * SAMPLE_RATE);
  const last = Math.min(mix.length, Math.round((end + release) * SAMPLE_RATE));
  for (let i = first; i < last; i += 1) {
    const t = (i - first) / SAMPLE_RATE;
    const left = end + release - start - t;
    const envelope = Math.min(1, t / attack) * Math.min(1, left / (release * 1.5)) * Math.exp(-t * decay);
    mix[i] += wave[Math.floor(step * (i - first)) % WAVE_POINTS] * envelope * gain;
  }
}

/** One period of a tone: the fundamental and its overtones, each with its strength. */
function waveOf(partials) {
  return Float64Array.from({ length: WAVE_POINTS }, (_, i) =>
    partials.reduce((sum, strength, n) => sum + strength * Math.sin((2 * Math.PI * (n + 1) * i) / WAVE_POINTS), 0),
  );
}

function toPcm(mix) {
  const peak = mix.reduce((high, sample) => Math.max(high, Math.abs(sample)), 0);
  const pcm = Buffer.alloc(mix.length * 2);
  mix.forEach((sample, i) => pcm.writeInt16LE(Math.round((sample / peak) * LOUDEST), i * 2));
  return pcm;
}
