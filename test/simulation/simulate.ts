/**
 * `npm run chaos [-- --seeds 2000 --sql-seeds 200 --seed 1]`: so many simulated worlds from this seed on, with the database in
 * memory, and so many with a real PostgreSQL. Prints the seed of each that fails. A single one, `--seeds 1 --sql-seeds 0 --seed S`,
 * is that world again, to the last bit, and prints what happened last in it.
 */
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { SimulationPostgres } from './postgres.js';
import { runSeed, type RunOptions } from './run.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    'sql-seeds': { type: 'string' },
    seed: { type: 'string', default: '1' },
    lines: { type: 'string', default: '60' },
  },
});
const first = Number(values.seed);
const seeds = Number(values.seeds ?? 2_000);
// Whoever asks for seeds asks for those.
const sqlSeeds = Number(values['sql-seeds'] ?? (values.seeds === undefined ? 200 : 0));
const isSingle = seeds + sqlSeeds === 1;
/** So many worlds are lived twice. */
const againEvery = 20;
Logger.overrideLogger(false);

let hasPassed = await simulate('in memory', '--seeds 1 --sql-seeds 0', seeds, {});
if (sqlSeeds > 0) {
  const postgres = await SimulationPostgres.start();
  const options = { make: postgres.make, deeds: 80 };
  hasPassed = (await simulate('on PostgreSQL', '--seeds 0 --sql-seeds 1', sqlSeeds, options)) && hasPassed;
  await postgres.stop();
}
process.exit(hasPassed ? 0 : 1);

async function simulate(where: string, again: string, many: number, options: RunOptions): Promise<boolean> {
  const began = performance.now();
  const failed: number[] = [];
  let things = 0;
  let repeated = 0;
  for (let seed = first; seed < first + many; seed++) {
    const outcome = await runSeed(seed, { ...options, keepLines: isSingle ? Number(values.lines) : 0 });
    things += outcome.things;
    for (const line of outcome.lines) console.log(line);
    let { failure } = outcome;
    if (!failure && (isSingle || seed % againEvery === 0)) {
      repeated += 1;
      if ((await runSeed(seed, options)).hash !== outcome.hash) failure = new Error('was another run the second time');
    }
    if (!failure) continue;
    failed.push(seed);
    console.log(`seed ${seed} ${where}: ${isSingle ? failure.stack : failure.message}`);
  }
  if (many === 0) return true;
  console.log(
    `${failed.length === 0 ? 'passed' : 'FAILED'}: ${many} seeds ${where} from ${first}, ${things} things happened, ` +
      `${repeated} runs repeated bit for bit; ${failed.length} failed${failed.length > 0 ? ` (${again} --seed ${failed[0]})` : ''}; ` +
      `${Math.round((performance.now() - began) / 1000)} s`,
  );
  return failed.length === 0;
}
