import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { monotonicMs } from '../monotonic.js';
import { LeaderConnection } from './leader-connection.js';
import { leaveOffice, renewOffice, takeOffice, type Office } from './leadership.js';
import { OutboxScan } from './outbox-scan.js';
import { OutboxVacuum } from './outbox-vacuum.js';
import { sequenceBatch, type Batch } from './sequence-batch.js';
import { Wake } from './wake.js';

export interface SequencerOptions {
  /** Names this process in the leader's row. */
  node: string;
  /** A leader silent for this long is replaced. */
  leaseMs: number;
  /** How often the outbox is looked at without being woken. */
  pollMs: number;
  /** Messages moved by one statement, at most. */
  batchSize: number;
}

/**
 * Every process runs one; the one that holds the office moves the outbox into the log, the others wait to succeed it.
 *
 *     waiting ──lease ran out──▶ in office ──office lost · connection lost · stop──▶ waiting
 *
 * Each time in office is a new term and a new epoch. `onBatches` is called after the commit, in the log's order, and
 * never for something that did not commit.
 */
export class Sequencer {
  private readonly logger = new Logger('Sequencer');
  private readonly wakeUp = new Wake();
  private readonly vacuum: OutboxVacuum;
  private office: Office | null = null;
  private running: Promise<void> | null = null;
  private stopping = false;
  private complaint: string | null = null;

  constructor(
    private readonly database: DataSource,
    private readonly options: SequencerOptions,
    private readonly onBatches: (batches: Batch[]) => void,
  ) {
    this.vacuum = new OutboxVacuum(database);
  }

  get term(): number | null {
    return this.office?.term ?? null;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Something was published. Harmless when it was not. */
  wake(): void {
    this.wakeUp.notify();
  }

  /** Ends the batch in flight, leaves office, and resolves when that is done. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp.notify();
    await this.running;
    await this.vacuum.ended();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.serve();
      } catch (error) {
        this.complain((error as Error).message);
        if (!this.stopping) await this.wakeUp.wait(this.options.leaseMs / 6);
      }
    }
  }

  /** Returns when the office was lost or this process stops. */
  private async serve(): Promise<void> {
    const { node, leaseMs } = this.options;
    const connection = await LeaderConnection.open(this.database, leaseMs);
    try {
      let office: Office | null = null;
      while (!this.stopping && !(office = await takeOffice(connection, node, leaseMs))) await this.wakeUp.wait(leaseMs / 6);
      if (!office) return;
      this.office = office;
      this.complaint = null;
      this.logger.log(`In office, term ${office.term}`);
      await this.sequence(connection, office);
      await leaveOffice(connection, office);
    } finally {
      this.office = null;
      await connection.close();
    }
  }

  /** Once, while the database is away: it is tried several times a second. */
  private complain(reason: string): void {
    if (reason !== this.complaint) this.logger.warn(`Not sequencing for now: ${reason}`);
    this.complaint = reason;
  }

  private async sequence(connection: LeaderConnection, office: Office): Promise<void> {
    const { leaseMs, pollMs, batchSize } = this.options;
    const limits = { messages: batchSize, bytes: batchBytes };
    const scan = new OutboxScan();
    let renewAt = monotonicMs() + leaseMs / 3;
    while (!this.stopping) {
      if (monotonicMs() >= renewAt) {
        renewAt = monotonicMs() + leaseMs / 3;
        if (!(await renewOffice(connection, office, leaseMs))) return;
      }
      const sequenced = await sequenceBatch(connection, office, scan.ranges, limits);
      if (!sequenced) return;
      scan.looked(sequenced.look);
      if (sequenced.batches.length > 0) {
        const { channel, to, messages } = sequenced.batches.at(-1)!;
        office.last = { channel, offset: to, id: messages.at(-1)!.id };
        this.onBatches(sequenced.batches);
        this.vacuum.moved(sequenced.look.taken.length);
      } else {
        await this.wakeUp.wait(Math.min(pollMs, Math.max(renewAt - monotonicMs(), 1)));
      }
    }
  }
}

/** Bytes of data that one statement moves, at most: what its answer holds in memory, and in the way to a slow leader. */
const batchBytes = 1024 * 1024;
