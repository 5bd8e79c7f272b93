import { Logger } from '@nestjs/common';
import { monotonicMs } from '../monotonic.js';
import { DeviceRecord, type DeviceIdentity, type Taken } from './device-record.js';
import type { LedgerStore } from './ledger-store.js';
import { seenEveryMs } from './roster.js';

const pruneEveryMs = 60 * 60_000;
/** Devices stored in one transaction: when a thousand come back at once, others get their turn in between. */
const devicesPerWrite = 1_000;

/**
 * Gathers what the devices of this node acknowledge, and stores it once a second, whatever there is, together: neither an
 * acknowledgement nor a device that comes back costs a statement of its own. What a crash loses is less than a second, and
 * the position with which the device comes back says it again.
 */
export class LedgerRecorder {
  private readonly logger = new Logger('Ledger');
  private readonly records = new Set<DeviceRecord>();
  private timer: NodeJS.Timeout | null = null;
  private flushing: Promise<void> | null = null;
  private pruning: Promise<void> | null = null;
  private prunedAt = -Infinity;

  /** @param flushMs how long things are gathered before they are stored */
  constructor(
    private readonly store: LedgerStore,
    private readonly flushMs: number,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => this.round(), this.flushMs);
  }

  /** Stores what there is. */
  async stop(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await Promise.all([this.flushing, this.pruning]);
    await this.flush();
  }

  connected(identity: DeviceIdentity): DeviceRecord {
    const record = new DeviceRecord(identity, monotonicMs);
    this.records.add(record);
    return record;
  }

  private round(): void {
    void this.flush();
    if (monotonicMs() - this.prunedAt < pruneEveryMs) return;
    this.prunedAt = monotonicMs();
    this.pruning ??= this.prune().finally(() => (this.pruning = null));
  }

  /** Stores what there is by now; what cannot be stored waits for the next time. */
  async flush(): Promise<void> {
    this.flushing ??= this.storeAll().finally(() => (this.flushing = null));
    await this.flushing;
  }

  private async storeAll(): Promise<void> {
    const taken: Taken[] = [];
    for (const record of this.records) {
      const own = record.take(seenEveryMs);
      if (own) taken.push(own);
      if (record.leftAt !== null) this.records.delete(record);
    }
    for (let begin = 0; begin < taken.length; begin += devicesPerWrite) {
      const group = taken.slice(begin, begin + devicesPerWrite);
      try {
        await this.store.write(group, monotonicMs);
        for (const { resolve } of group.flatMap(({ stored }) => stored)) resolve();
      } catch (error) {
        this.logger.debug(`Nothing is stored for now: ${(error as Error).message}`);
        for (const { record, ...given } of group) {
          record.giveBack({ record, ...given }, error);
          this.records.add(record);
        }
      }
    }
  }

  private async prune(): Promise<void> {
    try {
      await this.store.prune();
    } catch (error) {
      this.logger.debug(`Nothing is pruned for now: ${(error as Error).message}`);
    }
  }
}
