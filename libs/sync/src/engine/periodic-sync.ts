import { Logger } from '@nestjs/common';
import type { Bus } from '@soleil/bus';
import { Wake } from '../log/wake.js';
import { monotonicMs } from '../monotonic.js';
import type { SyncEngine } from './sync-engine.js';

export interface PeriodicSyncOptions {
  bandSyncIntervalMs: number;
  syncOnStart: boolean;
}

/** How often it is looked which bands are due. */
const everyMs = 5_000;

/**
 * The safety net under facts and notifications: looks over every band when the server starts, since nobody knows what happened while
 * it was down, and from then on each band that was not looked over for its interval. When that was is in the database, so it makes no
 * difference how many processes ask, nor how often they are restarted.
 */
export class PeriodicSync {
  private readonly logger = new Logger('PeriodicSync');
  private readonly wake = new Wake();
  private running: Promise<void> | null = null;
  private readonly begunAt = monotonicMs();
  private stopping = false;

  constructor(
    private readonly bus: Bus,
    private readonly engine: SyncEngine,
    private readonly options: PeriodicSyncOptions,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Resolves when the round in flight has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.notify();
    await this.running;
  }

  private async run(): Promise<void> {
    await this.bus.ready();
    let isStart = this.options.syncOnStart;
    while (!this.stopping) {
      try {
        await this.round(isStart);
        isStart = false;
      } catch (error) {
        this.logger.warn(`Not looking bands over for now: ${(error as Error).message}`);
      }
      await this.wake.wait(Math.min(everyMs, this.options.bandSyncIntervalMs));
    }
  }

  private async round(isStart: boolean): Promise<void> {
    const { bandIds } = await this.bus.request('drive.bands_requested', {});
    // Who looked since this process began saw what had happened before.
    const olderThanMs = monotonicMs() - this.begunAt;
    if (isStart) await this.engine.lookOver(bandIds, { priority: 'normal', cause: 'start', olderThanMs });
    else await this.engine.lookOver(bandIds, { priority: 'low', cause: 'interval' });
  }
}
