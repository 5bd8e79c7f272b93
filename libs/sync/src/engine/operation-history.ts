import { setTimeout as pass } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { monotonicMs } from '../monotonic.js';
import { Rounds } from '../rounds.js';
import type { QueueDatabase } from '../queue/queue-database.js';

export interface HistoryOptions {
  operationDays: number;
  /** How often it is looked whether something has come of age. */
  retentionIntervalMs: number;
}

/** A process that is restarted more often than the interval prunes all the same. */
const firstRoundMs = 60_000;
const pieceRows = 1_000;

/**
 * Forgets finished operations and events when they have come of age; dead ones stay. Piece by piece, with as much time in between as a piece
 * took.
 */
export class OperationHistory {
  private readonly logger = new Logger('SyncEngine');
  private readonly rounds: Rounds;

  constructor(
    private readonly database: QueueDatabase,
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
      if ((await this.prunePiece()) === 0) return;
      await pass(monotonicMs() - began);
    }
  }

  /** @returns how many operations and events went */
  private async prunePiece(): Promise<number> {
    const [row] = await this.database.query<{ pruned: number }>(pruned, [this.options.operationDays, pieceRows]);
    return row!.pruned;
  }
}

/** $1 days, $2 how many of each at most. Two who prune take different ones. */
const pruned = `
  with old as (
    select id from sync_operation
    where finished_at < clock_timestamp() - $1 * interval '1 day' and status in ('completed', 'cancelled')
    order by finished_at limit $2 for update skip locked
  ), gone as (delete from sync_operation o using old where o.id = old.id returning o.id),
  forgotten as (
    delete from sync_inbox where event_id in (
      select event_id from sync_inbox where received_at < clock_timestamp() - $1 * interval '1 day' order by received_at limit $2
      for update skip locked)
    returning 1)
  select (select count(*) from gone)::int + (select count(*) from forgotten)::int as pruned`;
