import { SyncError } from '@soleil/sync-protocol';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { DataSource } from 'typeorm';

/**
 * How much work a user may ask for in a minute, whichever nodes they ask: it is counted in PostgreSQL. Who has spent it costs the
 * database nothing more.
 */
export class RequestBudget {
  private readonly limiter: RateLimiterPostgres;

  constructor(
    database: DataSource,
    private readonly perMinute: number,
  ) {
    this.limiter = new RateLimiterPostgres({
      storeClient: database,
      storeType: 'typeorm',
      tableName: 'sync_rate_limit',
      // By our migration: the library would make it in every process, and nobody would wait for it.
      tableCreated: true,
      keyPrefix: 'request',
      points: perMinute,
      duration: 60,
      inMemoryBlockOnConsumed: perMinute,
    });
  }

  /** @throws SyncError `rate_limited`, with `details.retryAfterMs` */
  async spend(userId: string): Promise<void> {
    try {
      await this.limiter.consume(userId);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw new SyncError('rate_limited', `More than ${this.perMinute} requests in a minute.`, {
        retryAfterMs: Math.max(1, refused.msBeforeNext),
        perMinute: this.perMinute,
      });
    }
  }
}
