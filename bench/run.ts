/**
 * `npm run bench [-- --only fan-out,storm --quick --keep]`: SOLEil Sync and its opponents side by side, in one run, on one
 * machine. Measures what the table of numbers asks for; see `bench/results/README.md`.
 *
 * Nothing lost, doubled or reordered is a gate: what finds any ends the run with an error. Targets that are missed are told.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../apps/platform/src/config.js';
import { Arena } from './arena.js';
import type { Measure, Result, Verdict } from './measure.js';
import { measures } from './measures/index.js';
import { svgOf } from './plot.js';
import { machine } from './report.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const wanted = values.only?.split(',') ?? measures.map(({ name }) => name);
const unknown = wanted.filter((name) => !measures.some((measure) => measure.name === name));
if (unknown.length > 0) {
  console.error(`No such measure: ${unknown.join(', ')}. There are: ${measures.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const directory = join(projectRoot, values.keep ? 'bench/results' : 'dist/bench/results');
await mkdir(directory, { recursive: true });

for (const measure of measures) if (wanted.includes(measure.name)) await take(measure);

async function take(measure: Measure): Promise<void> {
  console.log(`\n${measure.name}: ${measure.about}`);
  const arena = await Arena.open(values.quick);
  const loadBefore = Number(loadavg()[0]!.toFixed(1));
  let result: Result;
  try {
    result = await measure.run(arena, (line) => console.log(`  ${line}`));
  } finally {
    await arena.close();
  }
  const on = {
    ...machine(projectRoot),
    load: { before: loadBefore, after: Number(loadavg()[0]!.toFixed(1)) },
    quick: values.quick,
  };
  const { verdicts, figures, generator, plot } = result;
  const kept = { machine: on, about: measure.about, generator, verdicts, figures };
  await writeFile(join(directory, `${measure.name}.json`), `${JSON.stringify(kept, null, 2)}\n`);
  const source = `${on.cpu}, ${on.cores} cores, ${on.memoryGiB} GiB, Node ${on.node}, commit ${on.commit}, ${on.date.slice(0, 10)}`;
  await writeFile(
    join(directory, `${measure.name}.svg`),
    svgOf(plot, values.quick ? `quick look, no figures: ${source}` : source),
  );
  for (const line of verdicts.map(lineOf)) console.log(`  ${line}`);
  console.log(
    `  ${source}; load before ${on.load.before}, after ${on.load.after}. ${join(directory, measure.name)}.json, .svg`,
  );
}

function lineOf({ what, value, unit, target, isMet }: Verdict): string {
  const aim = 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
  return `${isMet ? '✓' : '✗ missed:'} ${what}: ${value} ${unit} (target: ${aim})`;
}
