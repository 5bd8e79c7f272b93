import { Logger } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { leaveOffice, renewOffice, takeOffice, type Office } from './leadership.js';
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
  private office: Office | null = null;
  private running: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly database: DataSource,
    private readonly options: SequencerOptions,
    private readonly onBatches: (batches: Batch[]) => void,
  ) {}

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
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const runner = this.database.createQueryRunner();
      try {
        await this.serve(runner);
      } catch (error) {
        this.logger.warn(`Not sequencing for now: ${(error as Error).message}`);
      } finally {
        this.office = null;
        await retire(runner);
      }
      if (!this.stopping) await this.wakeUp.wait(this.options.pollMs);
    }
  }

  /** Returns when the office was lost or this process stops. */
  private async serve(runner: QueryRunner): Promise<void> {
    while (!(this.office = await takeOffice(runner, this.options.node, this.options.leaseMs))) {
      await this.wakeUp.wait(this.options.leaseMs / 6);
      if (this.stopping) return;
    }
    const { office } = this;
    this.logger.log(`In office, term ${office.term}`);
    let renewAt = Date.now() + this.options.leaseMs / 3;
    while (!this.stopping) {
      if (Date.now() >= renewAt) {
        if (!(await renewOffice(runner, office, this.options.leaseMs))) return;
        renewAt = Date.now() + this.options.leaseMs / 3;
      }
      const batches = await sequenceBatch(runner, office.term, this.options.batchSize);
      if (batches.length > 0) this.onBatches(batches);
      else await this.wakeUp.wait(Math.min(this.options.pollMs, Math.max(renewAt - Date.now(), 1)));
    }
    await leaveOffice(runner, office);
  }
}

/**
 * Ends the connection instead of giving it back: a successor may terminate the backend that was in office, which must not
 * be somebody else's by then.
 */
async function retire(runner: QueryRunner): Promise<void> {
  try {
    await ((await runner.connect()) as PoolClient & { end(): Promise<void> }).end();
  } catch {
    // It is gone already.
  }
  await runner.release().catch(() => undefined);
}
