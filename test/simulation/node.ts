import type { Bus } from '@soleil/bus';
import type { DataSource } from 'typeorm';
import { Hubs } from '../../libs/sync/src/fan-out/hubs.js';
import { Signals } from '../../libs/sync/src/signals/signals.js';
import { ClientFrames } from '../../libs/sync/src/gateway/client-frames.js';
import { Revocations } from '../../libs/sync/src/gateway/revocations.js';
import type { SyncRequests } from '../../libs/sync/src/gateway/sync-requests.js';
import { WebSocketGateway } from '../../libs/sync/src/gateway/web-socket-gateway.js';
import { LedgerRecorder } from '../../libs/sync/src/ledger/ledger-recorder.js';
import type { LedgerStore } from '../../libs/sync/src/ledger/ledger-store.js';
import { CommitWatch } from '../../libs/sync/src/log/commit-watch.js';
import type { LogReader } from '../../libs/sync/src/log/log-reader.js';
import type { NodeLink } from '../../libs/sync/src/log/node-link.js';
import { Publisher } from '../../libs/sync/src/log/publisher.js';
import { Sequencer } from '../../libs/sync/src/log/sequencer.js';
import type { ResolvedSyncOptions } from '../../libs/sync/src/options.js';
import type { Post } from './post.js';
import { MemoryNamespace, type ServerSocket } from './namespace.js';
import type { Party } from './schedule.js';

/** What a server process has of its surroundings. */
export interface Surroundings {
  database: DataSource;
  log: LogReader;
  bus: Bus;
  post: Post;
  options: ResolvedSyncOptions;
  onSent(socket: ServerSocket, event: string, frame: unknown): void;
}

/** A server process: the product's own sequencer, hubs, readers and gateway, put together as `SyncModule` does it. */
export class SimulatedNode {
  readonly publisher: Publisher;
  readonly revocations: Revocations;
  readonly namespace: MemoryNamespace;
  private readonly sequencer: Sequencer;

  constructor(
    readonly party: Party,
    readonly around: Surroundings,
  ) {
    const { database, log, bus, options } = around;
    const commits = new CommitWatch(database);
    const link = around.post.box(party, commits) as unknown as NodeLink;
    const hubs = new Hubs(log, link, options);
    const { node, leaseMs, pollMs, sequencerBatch } = options;
    this.sequencer = new Sequencer(database, { node, leaseMs, pollMs, batchSize: sequencerBatch }, (batches) => {
      hubs.deliver(batches);
      link.tellHeads(batches.map(({ channel, epoch, to }) => [channel, { epoch, offset: to }]));
    });
    link.onNews(({ kind }) => kind === 'outbox' && this.sequencer.wake());
    this.publisher = new Publisher(database, commits, this.sequencer, link, options);
    this.revocations = new Revocations(bus, this.publisher);
    const frames = new ClientFrames(bus, hubs, new Signals(hubs, link), {} as SyncRequests, options);
    const ledger = new LedgerRecorder({} as LedgerStore, options.ledgerFlushMs);
    const gateway = new WebSocketGateway(bus, hubs, link, frames, ledger, options);
    this.namespace = new MemoryNamespace((socket) => gateway.handleConnection(socket), around.onSent);
    gateway.afterInit(this.namespace.asNamespace);
  }

  get isLeader(): boolean {
    return this.sequencer.term !== null;
  }

  start(): void {
    this.sequencer.start();
  }
}
