import { setTimeout as pass } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Wake } from '../log/wake.js';
import { monotonicMs } from '../monotonic.js';
import type { OperationQueue } from './operation-queue.js';

export interface HistoryOptions {
  operationDays: number;
  /** How often it is looked whether something has come of age. */
  retentionIntervalMs: number;
}

/** A process that is restarted more often than the interval prunes all the same. */
const firstRoundMs = 60_000;
const pieceRows = 1_000;

/** Forgets finished operations when they have come of age, piece by piece, with as much time in between as a piece took. */
export class OperationHistory {
  private readonly logger = new Logger('SyncEngine');
  private readonly wake = new Wake();
  private running: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly queue: OperationQueue,
    private readonly options: HistoryOptions,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Resolves when the piece in flight has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.notify();
    await this.running;
  }

  /** Forgets all that has come of age. */
  async prune(): Promise<void> {
    while (!this.stopping) {
      const began = monotonicMs();
      if ((await this.queue.prune(this.options.operationDays, pieceRows)) === 0) return;
      await pass(monotonicMs() - began);
    }
  }

  private async run(): Promise<void> {
    let waitMs = Math.min(firstRoundMs, this.options.retentionIntervalMs);
    while (!this.stopping) {
      await this.wake.wait(waitMs);
      waitMs = this.options.retentionIntervalMs;
      await this.prune().catch((error: Error) => this.logger.debug(`Nothing is pruned for now: ${error.message}`));
    }
  }
}
