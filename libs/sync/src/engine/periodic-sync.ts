import { Logger } from '@nestjs/common';
import type { Bus } from '@soleil/bus';
import { monotonicMs } from '../monotonic.js';
import { Rounds } from '../rounds.js';
import type { SyncEngine } from './sync-engine.js';

export interface PeriodicSyncOptions {
  bandSyncIntervalMs: number;
  syncOnStart: boolean;
}

/** How long it takes, at most, until it is looked which bands are due. */
const mostMs = 5_000;

/**
 * The safety net under facts and notifications: looks over every band when the server starts, since nobody knows what happened while
 * it was down, and from then on each band that was not looked over for its interval. When that was is in the database, so it makes no
 * difference how many processes ask, nor how often they are restarted.
 */
export class PeriodicSync {
  private readonly logger = new Logger('PeriodicSync');
  private readonly rounds: Rounds;
  private readonly begunAt = monotonicMs();
  private isStart: boolean;

  constructor(
    private readonly bus: Bus,
    private readonly engine: SyncEngine,
    options: PeriodicSyncOptions,
  ) {
    this.isStart = options.syncOnStart;
    this.rounds = new Rounds(
      { firstMs: 0, everyMs: Math.min(mostMs, options.bandSyncIntervalMs) },
      () => this.round(),
      (error) => this.logger.warn(`Not looking bands over for now: ${error.message}`),
    );
  }

  start(): void {
    this.rounds.start();
  }

  /** Resolves when the round in flight has ended. */
  async stop(): Promise<void> {
    await this.rounds.stop();
  }

  private async round(): Promise<void> {
    await this.bus.ready();
    const { bandIds } = await this.bus.request('drive.bands_requested', {});
    // Who looked since this process began saw what had happened before.
    const olderThanMs = monotonicMs() - this.begunAt;
    if (this.isStart) await this.engine.lookOver(bandIds, { priority: 'normal', cause: 'start', olderThanMs });
    else await this.engine.lookOver(bandIds, { priority: 'low', cause: 'interval' });
    this.isStart = false;
  }
}
