/**
 * `npm run chaos [-- --seeds 2000 --seed 1]`: so many simulated worlds, from this seed on. Prints the seed of each that fails;
 * `--seeds 1 --seed S` is that world again, to the last bit, and prints what happened last in it.
 */
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { runSeed } from './run.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    lines: { type: 'string', default: '60' },
  },
});
Logger.overrideLogger(false);
const began = Date.now();
const first = Number(values.seed);
const seeds = Number(values.seeds);
/** So many worlds are lived twice. */
const againEvery = 20;

const failed: number[] = [];
let things = 0;
let again = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const outcome = await runSeed(seed, seeds === 1 ? Number(values.lines) : 0);
  things += outcome.things;
  for (const line of outcome.lines) console.log(line);
  if (outcome.failure) {
    failed.push(seed);
    console.log(`seed ${seed}: ${seeds === 1 ? outcome.failure.stack : outcome.failure.message}`);
  } else if (seeds === 1 || seed % againEvery === 0) {
    again += 1;
    if ((await runSeed(seed)).hash === outcome.hash) continue;
    failed.push(seed);
    console.log(`seed ${seed}: was another run the second time`);
  }
}
console.log(
  `${failed.length === 0 ? 'passed' : 'FAILED'}: ${seeds} seeds from ${first}, ${things} things happened, ${again} runs repeated bit for bit; ` +
    `${failed.length} failed${failed.length > 0 ? ` (--seeds 1 --seed ${failed[0]})` : ''}; ${Math.round((Date.now() - began) / 1000)} s`,
);
process.exit(failed.length === 0 ? 0 : 1);
