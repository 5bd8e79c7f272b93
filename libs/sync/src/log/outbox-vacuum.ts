import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { monotonicMs } from '../monotonic.js';
import { queryWithin } from './borrowed-runner.js';

/** Autovacuum looks once a minute at best; in that time the outbox would grow by a million rows that are gone. */
const everyRows = 20_000;
/** An open snapshot keeps all rows, and each run walks over more of them: it rests this many times as long as it took. */
const restTimes = 10;

/**
 * Keeps the outbox small: its leader has it vacuumed after so many rows, on a connection of its own, beside its work.
 * 20,000 rows take about ten milliseconds. Only the tables' owner may; else autovacuum has to do.
 */
export class OutboxVacuum {
  private readonly logger = new Logger('OutboxVacuum');
  private rows = 0;
  private notBefore = 0;
  private running: Promise<void> | null = null;

  /** @param timeoutMs one that takes longer is given up: its connection may be dead, and none would ever follow */
  constructor(
    private readonly database: DataSource,
    private readonly timeoutMs = 30_000,
  ) {}

  /** Never waits, never throws. While one is running no other is begun. */
  moved(rows: number): void {
    this.rows += rows;
    if (this.rows < everyRows || this.running || monotonicMs() < this.notBefore) return;
    this.rows = 0;
    this.running = this.vacuum().finally(() => {
      this.running = null;
    });
  }

  /** Resolves when none is running. */
  async ended(): Promise<void> {
    await this.running;
  }

  private async vacuum(): Promise<void> {
    const begunAt = monotonicMs();
    try {
      // Giving pages back to the system would need a lock that publishers wait for.
      await queryWithin(this.database, this.timeoutMs, 'vacuum (skip_locked, truncate off) sync_outbox', []);
    } catch (error) {
      this.logger.debug(`The outbox was not vacuumed: ${(error as Error).message}`);
    }
    this.notBefore = monotonicMs() + restTimes * (monotonicMs() - begunAt);
  }
}
