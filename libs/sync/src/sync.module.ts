import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type OnApplicationBootstrap,
  type Provider,
} from '@nestjs/common';
import { Bus } from '@soleil/bus';
import { DataSource } from 'typeorm';
import { BandWork } from './engine/band-work.js';
import { Completions } from './engine/completions.js';
import { FileSynchronizer } from './engine/file-synchronizer.js';
import { Lookout } from './engine/lookout.js';
import { OperationHistory } from './engine/operation-history.js';
import { OperationNews } from './engine/operation-news.js';
import { OperationRunner } from './engine/operation-runner.js';
import { operationLeaseMs, OperationWorker } from './engine/operation-worker.js';
import { PeriodicSync } from './engine/periodic-sync.js';
import { Preparation } from './engine/preparation.js';
import { ProgressTeller } from './engine/progress-teller.js';
import { RequestBudget } from './engine/request-budget.js';
import { Slots } from './engine/slots.js';
import { SyncEngine } from './engine/sync-engine.js';
import { SyncListeners } from './engine/sync-listeners.js';
import { EventBroadcaster } from './event-broadcaster.js';
import { Hubs } from './fan-out/hubs.js';
import { Signals } from './signals/signals.js';
import { ClientFrames } from './gateway/client-frames.js';
import { Revocations } from './gateway/revocations.js';
import { SyncRequests } from './gateway/sync-requests.js';
import { WebSocketGateway } from './gateway/web-socket-gateway.js';
import { DeliveryLedger } from './ledger/delivery-ledger.js';
import { LedgerRecorder } from './ledger/ledger-recorder.js';
import { LedgerStore } from './ledger/ledger-store.js';
import { Canary } from './health/canary.js';
import { SyncHealth } from './health/sync-health.js';
import { CanaryLog } from './log/canary-log.js';
import { CommitWatch } from './log/commit-watch.js';
import { LogReader } from './log/log-reader.js';
import { NodeLink } from './log/node-link.js';
import { Publisher } from './log/publisher.js';
import { Retention } from './log/retention.js';
import { Sequencer } from './log/sequencer.js';
import { monotonicMs } from './monotonic.js';
import { resolveSyncOptions, type ResolvedSyncOptions, type SyncOptions } from './options.js';
import { BandPaces } from './queue/band-paces.js';
import { Cancellations } from './queue/cancellations.js';
import { Intake } from './queue/intake.js';
import { Items } from './queue/items.js';
import { Leases } from './queue/leases.js';
import { Losses } from './queue/losses.js';
import { QueueDatabase } from './queue/queue-database.js';
import { Settlements } from './queue/settlements.js';
import { CallerGuard } from './rest/caller.js';
import { DeliveryController } from './rest/delivery.controller.js';
import { DriveWebhookController } from './rest/drive-webhook.controller.js';
import { OperationsController } from './rest/operations.controller.js';
import { SettingsController } from './rest/settings.controller.js';
import { SyncController } from './rest/sync.controller.js';
import { BandSettings } from './settings/band-settings.js';
import { SyncStatus } from './sync-status.js';
import { SYNC_OPTIONS } from './tokens.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<SyncOptions>()
  .setClassMethodName('forRoot')
  .build();

/** A provider whose plain constructor takes what `inject` names. */
function plain<Made, Needed extends unknown[]>(made: new (...needed: Needed) => Made, ...inject: unknown[]): Provider {
  return { provide: made, inject: inject as never[], useFactory: (...needed: Needed) => new made(...needed) };
}

const providers: Provider[] = [
  { provide: SYNC_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: resolveSyncOptions },
  plain(CommitWatch, DataSource),
  plain(LogReader, DataSource),
  {
    provide: NodeLink,
    inject: [DataSource, SYNC_OPTIONS],
    useFactory: (database: DataSource, { node }: ResolvedSyncOptions) => new NodeLink(database, node),
  },
  plain(Hubs, LogReader, NodeLink, SYNC_OPTIONS),
  {
    provide: Sequencer,
    inject: [DataSource, SYNC_OPTIONS, Hubs, NodeLink],
    useFactory: (
      database: DataSource,
      { node, leaseMs, pollMs, sequencerBatch }: ResolvedSyncOptions,
      hubs: Hubs,
      link: NodeLink,
    ) => {
      const sequencer = new Sequencer(database, { node, leaseMs, pollMs, batchSize: sequencerBatch }, (batches) => {
        hubs.deliver(batches);
        link.tellHeads(batches.map(({ channel, epoch, to }) => [channel, { epoch, offset: to }]));
      });
      link.onNews((news) => {
        if (news.kind === 'outbox') sequencer.wake();
      });
      return sequencer;
    },
  },
  plain(Publisher, DataSource, CommitWatch, Sequencer, NodeLink, SYNC_OPTIONS),
  {
    provide: Retention,
    inject: [DataSource, SYNC_OPTIONS],
    useFactory: (database: DataSource, options: ResolvedSyncOptions) => new Retention(database, options),
  },
  plain(EventBroadcaster, Publisher, Signals),
  plain(QueueDatabase, DataSource),
  plain(Intake, QueueDatabase),
  plain(BandPaces, QueueDatabase),
  {
    provide: Leases,
    inject: [QueueDatabase, BandPaces, NodeLink, SYNC_OPTIONS],
    useFactory: (
      database: QueueDatabase,
      paces: BandPaces,
      { number }: NodeLink,
      { node, bandOperationsPerMinute }: ResolvedSyncOptions,
    ) => new Leases(database, paces, { node, worker: number, leaseMs: operationLeaseMs, bandOperationsPerMinute }),
  },
  plain(Items, QueueDatabase, Intake),
  plain(Settlements, QueueDatabase),
  {
    provide: Losses,
    inject: [QueueDatabase, NodeLink],
    useFactory: (database: QueueDatabase, { number }: NodeLink) => new Losses(database, number),
  },
  plain(Cancellations, QueueDatabase),
  plain(BandSettings, DataSource),
  plain(FileSynchronizer, Bus, EventBroadcaster, DataSource, BandSettings),
  {
    provide: BandWork,
    inject: [Bus, QueueDatabase, Intake, SYNC_OPTIONS],
    useFactory: (bus: Bus, database: QueueDatabase, intake: Intake, { bandSyncIntervalMs }: ResolvedSyncOptions) =>
      new BandWork(bus, database, intake, bandSyncIntervalMs),
  },
  {
    provide: OperationHistory,
    inject: [QueueDatabase, SYNC_OPTIONS],
    useFactory: (database: QueueDatabase, options: ResolvedSyncOptions) => new OperationHistory(database, options),
  },
  plain(ProgressTeller, Bus, EventBroadcaster),
  plain(OperationNews, Bus, ProgressTeller),
  {
    provide: Lookout,
    inject: [NodeLink, SYNC_OPTIONS],
    useFactory: (link: NodeLink, { pollMs }: ResolvedSyncOptions) => new Lookout(link, pollMs),
  },
  {
    provide: Slots,
    inject: [SYNC_OPTIONS],
    useFactory: ({ workers }: ResolvedSyncOptions) => new Slots(workers, monotonicMs),
  },
  {
    provide: Preparation,
    inject: [FileSynchronizer, BandWork, SYNC_OPTIONS],
    useFactory: (files: FileSynchronizer, bands: BandWork, { operationTimeoutMs }: ResolvedSyncOptions) =>
      new Preparation(files, bands, operationTimeoutMs),
  },
  plain(Completions, QueueDatabase, Settlements, FileSynchronizer),
  plain(
    OperationRunner,
    Items,
    Settlements,
    BandPaces,
    Preparation,
    Completions,
    OperationNews,
    Slots,
    Lookout,
    SYNC_OPTIONS,
  ),
  plain(
    OperationWorker,
    Bus,
    Leases,
    Losses,
    Settlements,
    OperationRunner,
    Slots,
    OperationNews,
    ProgressTeller,
    Lookout,
    NodeLink,
    SYNC_OPTIONS,
  ),
  plain(
    SyncEngine,
    QueueDatabase,
    Intake,
    Cancellations,
    BandPaces,
    OperationWorker,
    OperationNews,
    ProgressTeller,
    Lookout,
    NodeLink,
    CommitWatch,
    SYNC_OPTIONS,
  ),
  plain(PeriodicSync, Bus, SyncEngine, SYNC_OPTIONS),
  plain(LedgerStore, DataSource),
  {
    provide: LedgerRecorder,
    inject: [LedgerStore, SYNC_OPTIONS],
    useFactory: (store: LedgerStore, { ledgerFlushMs }: ResolvedSyncOptions) => new LedgerRecorder(store, ledgerFlushMs),
  },
  plain(DeliveryLedger, LogReader, LedgerStore, Bus),
  {
    provide: Canary,
    inject: [DataSource, Publisher, Hubs, SYNC_OPTIONS],
    useFactory: (database: DataSource, publisher: Publisher, hubs: Hubs, { node, canaryMs }: ResolvedSyncOptions) =>
      new Canary(new CanaryLog(database, publisher, node), hubs, canaryMs),
  },
  plain(SyncHealth, Canary),
  {
    provide: RequestBudget,
    inject: [DataSource, SYNC_OPTIONS],
    useFactory: (database: DataSource, { requestsPerMinute }: ResolvedSyncOptions) =>
      new RequestBudget(database, requestsPerMinute),
  },
  plain(SyncRequests, SyncEngine, FileSynchronizer, RequestBudget, BandSettings),
  plain(Signals, Hubs, NodeLink),
  plain(ClientFrames, Bus, Hubs, Signals, SyncRequests, SYNC_OPTIONS),
  // Nest finds gateways by their class, so this one is not made by a factory.
  WebSocketGateway,
  Revocations,
  plain(SyncStatus, DataSource, SyncEngine, WebSocketGateway, SYNC_OPTIONS),
  SyncListeners,
  CallerGuard,
];

/**
 * SOLEil Sync as a plugin. The application brings a TypeORM DataSource with `syncEntities` and `syncMigrations`, the
 * global `BusModule`, and modules that answer the questions of `auth.*`, `drive.*` and `content.*`.
 */
@Module({
  providers,
  controllers: [SyncController, OperationsController, SettingsController, DeliveryController, DriveWebhookController],
  exports: [SyncEngine, FileSynchronizer, WebSocketGateway, EventBroadcaster, DeliveryLedger, SyncStatus, SyncHealth],
})
export class SyncModule extends ConfigurableModuleClass implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(Publisher) private readonly publisher: Publisher,
    @Inject(Sequencer) private readonly sequencer: Sequencer,
    @Inject(Canary) private readonly canary: Canary,
    @Inject(Retention) private readonly retention: Retention,
    @Inject(OperationHistory) private readonly history: OperationHistory,
    @Inject(PeriodicSync) private readonly periodic: PeriodicSync,
    @Inject(NodeLink) private readonly link: NodeLink,
    @Inject(LedgerRecorder) private readonly ledger: LedgerRecorder,
  ) {
    super();
  }

  static override forRoot(options: SyncOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  static override forRootAsync(options: ConfigurableModuleAsyncOptions<SyncOptions>): DynamicModule {
    return super.forRootAsync(options);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.link.start();
    this.ledger.start();
    this.sequencer.start();
    this.retention.start();
    this.history.start();
    this.periodic.start();
    this.canary.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.periodic.stop();
    await this.canary.stop();
    await this.publisher.drained();
    // The gateway has let its devices go by now.
    await this.ledger.stop();
    await this.retention.stop();
    await this.history.stop();
    await this.sequencer.stop();
    await this.link.stop();
  }
}
