import { Queue, Worker, type ConnectionOptions } from 'bullmq';
import type { Body, Jobs, QueueKind, QueueSide } from './queue-side.js';

const batch = 1_000;
const queueName = 'bench';

interface Job {
  file: number;
  n: number;
}

/** BullMQ as it comes. It has no order per file outside of its paid edition. */
export const bullmq: QueueKind = {
  async fill(redisUrl, { files, perFile }) {
    const queue = new Queue<Job>(queueName, { connection: connectionTo(redisUrl) });
    await queue.obliterate({ force: true });
    const all = Array.from({ length: files * perFile }, (_, place) => ({
      name: 'work',
      data: { file: place % files, n: Math.floor(place / files) },
    }));
    for (let begin = 0; begin < all.length; begin += batch) await queue.addBulk(all.slice(begin, begin + batch));
    await queue.close();
  },

  async open(redisUrl: string, _jobs: Jobs, concurrency: number) {
    return new BullMq(redisUrl, concurrency);
  },
};

export class BullMq implements QueueSide {
  done = 0;
  private worker: Worker<Job> | null = null;
  private readonly queue: Queue<Job>;

  constructor(
    private readonly redisUrl: string,
    private readonly concurrency: number,
  ) {
    this.queue = new Queue<Job>(queueName, { connection: connectionTo(redisUrl) });
  }

  async work(body: Body): Promise<void> {
    this.worker = new Worker<Job>(queueName, ({ data: { file, n } }) => body(file, n), {
      connection: connectionTo(this.redisUrl),
      concurrency: this.concurrency,
    });
    this.worker.on('completed', () => (this.done += 1));
    await this.worker.waitUntilReady();
  }

  async enqueue(file: number, n: number): Promise<void> {
    await this.queue.add('work', { file, n });
  }

  async stop(): Promise<void> {
    await this.worker?.close();
    await this.queue.close();
  }
}

// A worker waits in Redis for its next job, however long that takes.
const connectionTo = (url: string): ConnectionOptions => ({ url, maxRetriesPerRequest: null });
