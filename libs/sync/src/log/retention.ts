import { setTimeout as pass } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { monotonicMs } from '../monotonic.js';
import { Rounds } from '../rounds.js';
import { queryWithin } from './borrowed-runner.js';
import { channelsDue, pruneIdempotencyKeys, pruneMessages, pruneNodes } from './prune-statements.js';

export interface RetentionOptions {
  /** What is superseded, gone or without a key stays this long. */
  retentionDays: number;
  /** How often it is looked whether something has come of age. */
  retentionIntervalMs: number;
}

/** A process that is restarted more often than the interval prunes all the same. */
const firstRoundMs = 60_000;
const piece = { messages: 500, channels: 100 };
/** After each piece others have as much time as it took, up to this. */
const longestPauseMs = 1_000;
/** A statement that takes longer has failed; the next round goes on. */
const pieceWithinMs = 60_000;

/**
 * Prunes the log. Each channel has a *horizon*: the last message before which all are older than `retentionDays`. Up to
 * there only the channel's state stays, the latest message of each key that is not gone; beyond it everything. So whatever
 * the log was at any moment of these days can still be told, and a position of theirs continued.
 *
 * An older position may have missed that something is gone: below `pruned_to` it has expired.
 *
 * Every process runs one. A piece is one statement, a lock in it keeps others out: a process that dies or stands still
 * leaves nothing half done.
 */
export class Retention {
  private readonly logger = new Logger('Retention');
  private readonly rounds: Rounds;

  /** @param pieceMessages messages looked at by one statement, at most */
  constructor(
    private readonly database: DataSource,
    private readonly options: RetentionOptions,
    private readonly pieceMessages = piece.messages,
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

  /** Prunes all that has come of age, and what dead nodes left, unless another process is at it. */
  async prune(): Promise<void> {
    const { retentionDays } = this.options;
    let channels: { name: string }[] = [];
    do {
      channels = await queryWithin(this.database, pieceWithinMs, channelsDue, [
        channels.at(-1)?.name ?? '',
        retentionDays,
        piece.channels,
      ]);
      for (const { name } of channels)
        if (!(await this.inPieces(pruneMessages, [name, retentionDays, this.pieceMessages]))) return;
    } while (channels.length === piece.channels);
    if (!(await this.inPieces(pruneNodes, [this.pieceMessages]))) return;
    await this.inPieces(pruneIdempotencyKeys, [retentionDays, this.pieceMessages]);
  }

  /** @returns false when somebody else prunes, or this process stops */
  private async inPieces(sql: string, parameters: readonly unknown[]): Promise<boolean> {
    while (!this.rounds.isStopping) {
      const began = monotonicMs();
      const [result] = await queryWithin<{ isFree: boolean; done: number }>(this.database, pieceWithinMs, sql, parameters);
      if (!result!.isFree) return false;
      await pass(Math.min(monotonicMs() - began, longestPauseMs));
      if (result!.done < this.pieceMessages) return true;
    }
    return false;
  }
}
