import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Cable } from '../../../test/support/cable.js';
import type { TestDatabase } from '../../../test/support/database.js';
import { syncDatabase } from '../../../test/support/sync-database.js';
import { CommitWatch } from '../src/log/commit-watch.js';
import { NodeLink } from '../src/log/node-link.js';
import { Publisher } from '../src/log/publisher.js';
import type { Batch } from '../src/log/sequence-batch.js';
import { Sequencer, type SequencerOptions } from '../src/log/sequencer.js';
import { defaultSyncOptions, type SyncOptions } from '../src/options.js';
import { syncEntities } from '../src/schema.js';

// What the tests provoke is not news.
Logger.overrideLogger(['error', 'fatal']);

/** The log of one process: what publishes, and what sequences once it is started. */
export class LogNode {
  readonly batches: Batch[] = [];
  readonly publisher: Publisher;
  readonly sequencer: Sequencer;
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly database: DataSource,
    options: SyncOptions,
  ) {
    const all = { node: 'test', ...defaultSyncOptions, ...options };
    const link = new NodeLink(database, all.node);
    this.sequencer = new Sequencer(database, sequencerOptions(all), (batches) => {
      this.batches.push(...batches);
      for (const wake of this.waiting) wake();
      this.waiting.clear();
    });
    this.publisher = new Publisher(database, new CommitWatch(database), this.sequencer, link, all);
  }

  static async on(url: string, options: SyncOptions = {}): Promise<LogNode> {
    const database = new DataSource({
      type: 'postgres',
      url,
      entities: syncEntities,
      poolSize: 60,
      applicationName: options.node,
    });
    return new LogNode(await database.initialize(), options);
  }

  /** Messages sequenced here, in the order in which they were told. */
  get messages(): Batch['messages'] {
    return this.batches.flatMap(({ messages }) => messages);
  }

  /** Resolves once that many messages were sequenced here. */
  async sequenced(many: number): Promise<void> {
    while (this.messages.length < many) await new Promise<void>((resolve) => void this.waiting.add(resolve));
  }

  async stop(): Promise<void> {
    await this.publisher.drained();
    await this.sequencer.stop();
    await this.database.destroy();
  }
}

/** A database and nodes on it, gone after the test. */
export class LogRig {
  private readonly nodes: LogNode[] = [];

  private constructor(readonly testDatabase: TestDatabase) {}

  static async make(): Promise<LogRig> {
    return new LogRig(await syncDatabase());
  }

  async node(options: SyncOptions = {}, url = this.testDatabase.url): Promise<LogNode> {
    const node = await LogNode.on(url, options);
    this.nodes.push(node);
    return node;
  }

  /** The database's address through a cable. */
  through(cable: Cable): string {
    const url = new URL(this.testDatabase.url);
    url.port = new URL(cable.url).port;
    return url.href;
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.testDatabase.drop();
  }
}

function sequencerOptions(options: typeof defaultSyncOptions & { node: string }): SequencerOptions {
  const { node, leaseMs, pollMs, sequencerBatch } = options;
  return { node, leaseMs, pollMs, batchSize: sequencerBatch };
}
