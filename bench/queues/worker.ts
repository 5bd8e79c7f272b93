/** A process that works a queue: says how far it has come, and in the end what it did when. */
import { kinds, type KindName } from './kinds.js';
import type { Jobs, Run } from './queue-side.js';

export interface WorkerSetting {
  kind: KindName;
  databaseUrl: string;
  jobs: Jobs;
  concurrency: number;
  /** Every run is noted, and takes a turn of the event loop. */
  noting: boolean;
}

export type FromWorker = { say: 'ready' } | { say: 'done'; many: number } | { say: 'runs'; runs: Run[] };

const setting = JSON.parse(process.argv[2]!) as WorkerSetting;
const say = (message: FromWorker): void => void process.send!(message);
const now = (): number => Number(process.hrtime.bigint());
const runs: Run[] = [];
const side = await kinds[setting.kind].open(setting.databaseUrl, setting.jobs, setting.concurrency);
let told = 0;
const telling = setInterval(() => {
  if (side.done !== told) say({ say: 'done', many: (told = side.done) });
}, 10);

process.on('message', (asked: 'work' | 'stop') => void (asked === 'work' ? work() : stop()));
say({ say: 'ready' });

async function work(): Promise<void> {
  await side.work(async (file, n) => {
    if (!setting.noting) return;
    const begunAt = now();
    await new Promise((resolve) => setImmediate(resolve));
    runs.push({ file, n, begunAt, endedAt: now() });
  });
}

async function stop(): Promise<void> {
  clearInterval(telling);
  await side.stop();
  process.send!({ say: 'runs', runs } satisfies FromWorker, undefined, undefined, () => process.disconnect());
}
