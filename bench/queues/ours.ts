import { EventEmitter2 } from '@nestjs/event-emitter';
import { Bus } from '@soleil/bus';
import { syncEntities } from '@soleil/sync';
import { DataSource } from 'typeorm';
import type { BandWork } from '../../libs/sync/src/engine/band-work.js';
import { Completions } from '../../libs/sync/src/engine/completions.js';
import type { FileSynchronizer } from '../../libs/sync/src/engine/file-synchronizer.js';
import { Lookout } from '../../libs/sync/src/engine/lookout.js';
import { OperationNews } from '../../libs/sync/src/engine/operation-news.js';
import { OperationRunner } from '../../libs/sync/src/engine/operation-runner.js';
import { operationLeaseMs, OperationWorker } from '../../libs/sync/src/engine/operation-worker.js';
import { Preparation } from '../../libs/sync/src/engine/preparation.js';
import type { ProgressTeller } from '../../libs/sync/src/engine/progress-teller.js';
import { Slots } from '../../libs/sync/src/engine/slots.js';
import { SyncEngine } from '../../libs/sync/src/engine/sync-engine.js';
import type { SyncOperation } from '../../libs/sync/src/entities/sync-operation.js';
import { CommitWatch } from '../../libs/sync/src/log/commit-watch.js';
import { NodeLink } from '../../libs/sync/src/log/node-link.js';
import { monotonicMs } from '../../libs/sync/src/monotonic.js';
import { resolveSyncOptions } from '../../libs/sync/src/options.js';
import { BandPaces } from '../../libs/sync/src/queue/band-paces.js';
import { Cancellations } from '../../libs/sync/src/queue/cancellations.js';
import { Intake, type NewOperation } from '../../libs/sync/src/queue/intake.js';
import { Items } from '../../libs/sync/src/queue/items.js';
import { Leases, type LeaseOptions } from '../../libs/sync/src/queue/leases.js';
import { Losses } from '../../libs/sync/src/queue/losses.js';
import { QueueDatabase } from '../../libs/sync/src/queue/queue-database.js';
import { Settlements } from '../../libs/sync/src/queue/settlements.js';
import type { Body, Jobs, QueueKind, QueueSide } from './queue-side.js';

const batch = 500;
const optionsOf = (node: string, worker: number): LeaseOptions => ({
  node,
  worker,
  leaseMs: operationLeaseMs,
  bandOperationsPerMinute: null,
});

/** The engine as it is, with leases, inbox, items and facts; what Drive and Content would do is the measured body. */
export const ours: QueueKind = {
  async fill(databaseUrl, { files, perFile, ordered }) {
    const database = await connect(databaseUrl);
    await database.query('truncate sync_operation, sync_inbox, sync_item');
    const intake = new Intake(new QueueDatabase(database));
    // News of one file join the operation that waits, so of an ordered file the first is stored, and each brings the next.
    const all = ordered
      ? Array.from({ length: files }, (_, file) => operationOf(file, 0))
      : Array.from({ length: files * perFile }, (_, file) => operationOf(file, 0));
    for (let begin = 0; begin < all.length; begin += batch) await intake.enqueue(all.slice(begin, begin + batch));
    await database.query('vacuum analyze sync_operation');
    await database.destroy();
  },

  async open(databaseUrl, jobs, concurrency) {
    return OurSide.open(databaseUrl, jobs, concurrency);
  },
};

export class OurSide implements QueueSide {
  done = 0;
  private body: Body = async () => undefined;

  private constructor(
    private readonly database: DataSource,
    private readonly link: NodeLink,
    private readonly jobs: Jobs,
    concurrency: number,
  ) {
    const node = `bench-${process.pid}`;
    const emitter = new EventEmitter2();
    emitter.on('sync.completed', () => (this.done += 1));
    const bus = new Bus(emitter, { waitUntilReady: async () => undefined } as never);
    const queue = new QueueDatabase(database);
    const intake = new Intake(queue);
    const paces = new BandPaces(queue);
    const settlements = new Settlements(queue);
    const options = resolveSyncOptions({ node, workers: concurrency });
    const lookout = new Lookout(link, options.pollMs);
    const progress = { tell: () => undefined, changed: () => undefined, stop: () => undefined } as unknown as ProgressTeller;
    const news = new OperationNews(bus, progress);
    const files = { prepare: (operation: SyncOperation) => this.prepare(operation) } as unknown as FileSynchronizer;
    const slots = new Slots(options.workers, monotonicMs);
    const runner = new OperationRunner(
      new Items(queue, intake),
      settlements,
      paces,
      new Preparation(files, {} as BandWork, options.operationTimeoutMs),
      new Completions(queue, settlements, files),
      news,
      slots,
      lookout,
      options,
    );
    this.worker = new OperationWorker(
      bus,
      new Leases(queue, paces, optionsOf(node, link.number)),
      new Losses(queue, link.number),
      settlements,
      runner,
      slots,
      news,
      progress,
      lookout,
      link,
      options,
    );
    this.engine = new SyncEngine(
      queue,
      intake,
      new Cancellations(queue),
      paces,
      this.worker,
      news,
      progress,
      lookout,
      link,
      new CommitWatch(database),
      options,
    );
  }

  readonly engine: SyncEngine;
  private readonly worker: OperationWorker;

  static async open(databaseUrl: string, jobs: Jobs, concurrency: number): Promise<OurSide> {
    const database = await connect(databaseUrl);
    const link = new NodeLink(database, `bench-${process.pid}`);
    await link.start();
    return new OurSide(database, link, jobs, concurrency);
  }

  async work(body: Body): Promise<void> {
    this.body = body;
    this.worker.onApplicationBootstrap();
  }

  async stop(): Promise<void> {
    await this.worker.beforeApplicationShutdown();
    await this.link.stop();
    await this.database.destroy();
  }

  private async prepare({ fileId, cause }: SyncOperation): Promise<{ kind: 'none' }> {
    const [file, n] = [Number(fileId), Number(cause)];
    // As whoever hears of a file tells it: the news is stored while the file is being worked on, which waits for nobody's news.
    if (this.jobs.ordered && n + 1 < this.jobs.perFile) void this.engine.enqueue(operationOf(file, n + 1));
    await this.body(file, n);
    return { kind: 'none' };
  }
}

export const operationOf = (file: number, n: number, priority: NewOperation['priority'] = 'normal'): NewOperation => ({
  kind: 'file',
  priority,
  orderingKey: `file:${file}`,
  cause: String(n),
  bandId: 'bench',
  fileId: String(file),
});

async function connect(url: string): Promise<DataSource> {
  return new DataSource({ type: 'postgres', url, entities: syncEntities, poolSize: 20 }).initialize();
}
