import { Logger, makeWorkerUtils, run, type Runner } from 'graphile-worker';
import type { Body, QueueKind, QueueSide } from './queue-side.js';

const logger = new Logger(() => () => undefined);
const batch = 1_000;

/** graphile-worker as it comes: named queues where the jobs of a file are to keep their order. */
export const graphile: QueueKind = {
  async fill(databaseUrl, { files, perFile, ordered }) {
    const utils = await makeWorkerUtils({ connectionString: databaseUrl, logger });
    await utils.migrate();
    await utils.withPgClient((client) => client.query('truncate graphile_worker._private_jobs'));
    const all = Array.from({ length: files * perFile }, (_, place) => ({
      file: place % files,
      n: Math.floor(place / files),
    }));
    for (let begin = 0; begin < all.length; begin += batch)
      await utils.addJobs(
        all.slice(begin, begin + batch).map((payload) => ({
          identifier: 'work',
          payload,
          ...(ordered ? { queueName: `file ${payload.file}` } : {}),
        })),
      );
    await utils.withPgClient((client) => client.query('vacuum analyze graphile_worker._private_jobs'));
    await utils.release();
  },

  async open(databaseUrl, _jobs, concurrency) {
    return new GraphileSide(databaseUrl, concurrency);
  },
};

class GraphileSide implements QueueSide {
  done = 0;
  private runner: Runner | null = null;

  constructor(
    private readonly databaseUrl: string,
    private readonly concurrency: number,
  ) {}

  async work(body: Body): Promise<void> {
    this.runner = await run({
      connectionString: this.databaseUrl,
      concurrency: this.concurrency,
      maxPoolSize: 20,
      noHandleSignals: true,
      logger,
      taskList: {
        work: async (payload) => {
          const { file, n } = payload as { file: number; n: number };
          await body(file, n);
        },
      },
    });
    this.runner.events.on('job:complete', () => (this.done += 1));
  }

  async stop(): Promise<void> {
    await this.runner?.stop();
  }
}
