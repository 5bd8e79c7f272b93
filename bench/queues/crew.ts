import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { kinds } from './kinds.js';
import type { Run } from './queue-side.js';
import type { FromWorker, WorkerSetting } from './worker.js';

/** Stores the jobs, has processes work them, and times that. @returns jobs a second, and every run where they are noted */
export async function workOff(processes: number, setting: WorkerSetting): Promise<{ perSecond: number; runs: Run[] }> {
  const { kind, databaseUrl, jobs } = setting;
  await kinds[kind].fill(databaseUrl, jobs);
  const crew = Array.from({ length: processes }, () =>
    fork(join(import.meta.dirname, 'worker.js'), [JSON.stringify(setting)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  await Promise.all(crew.map((worker) => told(worker, 'ready')));
  const total = jobs.files * jobs.perFile;
  const counts = crew.map(() => 0);
  const begunAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    crew.forEach((worker, nth) => {
      worker.once('exit', () => reject(new Error(`A worker of ${kind} has ended.`)));
      worker.on('message', (message: FromWorker) => {
        if (message.say !== 'done') return;
        counts[nth] = message.many;
        if (counts.reduce((sum, count) => sum + count) >= total) resolve();
      });
      worker.send('work');
    });
  });
  const seconds = (performance.now() - begunAt) / 1_000;
  const runs = await Promise.all(
    crew.map(async (worker) => {
      worker.removeAllListeners('exit');
      const ended = once(worker, 'exit');
      const noted = told(worker, 'runs');
      worker.send('stop');
      const message = await noted;
      await ended;
      return message.runs;
    }),
  );
  return { perSecond: total / seconds, runs: runs.flat() };
}

function told<Say extends FromWorker['say']>(worker: ChildProcess, say: Say): Promise<Extract<FromWorker, { say: Say }>> {
  return new Promise((resolve) => {
    worker.on('message', function listen(message: FromWorker) {
      if (message.say !== say) return;
      worker.off('message', listen);
      resolve(message as Extract<FromWorker, { say: Say }>);
    });
  });
}

/** Two runs of one file at the same time, and runs of a file that began in another order than their numbers. */
export function faultsOf(runs: readonly Run[]): { overlaps: number; inversions: number } {
  const ofFile = new Map<number, Run[]>();
  for (const run of runs) ofFile.set(run.file, [...(ofFile.get(run.file) ?? []), run]);
  let [overlaps, inversions] = [0, 0];
  for (const own of ofFile.values()) {
    own.sort((one, other) => one.begunAt - other.begunAt);
    for (let place = 1; place < own.length; place++) {
      const [before, after] = [own[place - 1]!, own[place]!];
      if (after.begunAt < before.endedAt) overlaps += 1;
      if (after.n < before.n) inversions += 1;
    }
  }
  return { overlaps, inversions };
}
