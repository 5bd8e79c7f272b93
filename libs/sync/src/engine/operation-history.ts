import { setTimeout as pass } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { monotonicMs } from '../monotonic.js';
import { Rounds } from '../rounds.js';
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
  private readonly rounds: Rounds;

  constructor(
    private readonly queue: OperationQueue,
    private readonly options: HistoryOptions,
  ) {
    const everyMs = options.retentionIntervalMs;
    this.rounds = new Rounds(
      { firstMs: Math.min(firstRoundMs, everyMs), everyMs },
      () => this.prune(),
      (error) => this.logger.debug(`Nothing is pruned for now: ${error.message}`),
    );
  }

  start(): void {
    this.rounds.start();
  }

  /** Resolves when the piece in flight has ended. */
  async stop(): Promise<void> {
    await this.rounds.stop();
  }

  /** Forgets all that has come of age. */
  async prune(): Promise<void> {
    while (!this.rounds.isStopping) {
      const began = monotonicMs();
      if ((await this.queue.prune(this.options.operationDays, pieceRows)) === 0) return;
      await pass(monotonicMs() - began);
    }
  }
}
