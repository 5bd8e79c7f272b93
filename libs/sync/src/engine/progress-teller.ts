import type { Bus } from '@soleil/bus';
import { Logger } from '@nestjs/common';
import { bandChannel } from '@soleil/sync-protocol';
import type { EventBroadcaster } from '../event-broadcaster.js';
import { saidBy } from './failure.js';
import type { Progress } from '../queue/items.js';

/** Of one operation, and of one band's queue, this often at most. */
const everyMs = 250;

/**
 * Tells how far operations with items have come, on the bus and to the screens of the band, and the screens that a band's queue looks
 * otherwise than before: those who list it ask again. Nothing of it is kept.
 */
export class ProgressTeller {
  private readonly logger = new Logger('SyncEngine');
  /** The latest of each name that waits until it may be told. */
  private readonly waiting = new Map<string, (() => void) | null>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly bus: Bus,
    private readonly broadcaster: EventBroadcaster,
  ) {}

  tell(all: readonly Progress[]): void {
    for (const progress of all) this.now(progress.id, () => this.tellOne(progress));
  }

  changed(bandId: string | null): void {
    if (bandId !== null) this.now(`queue of ${bandId}`, () => this.signal(bandId, 'sync.operations', 'operations', {}));
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.waiting.clear();
  }

  /** The first at once, and while that is fresh the latest of those that follow. */
  private now(name: string, tell: () => void): void {
    if (this.waiting.has(name)) {
      this.waiting.set(name, tell);
      return;
    }
    this.waiting.set(name, null);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      const latest = this.waiting.get(name);
      this.waiting.delete(name);
      if (latest) this.now(name, latest);
    }, everyMs);
    this.timers.add(timer);
    tell();
  }

  private tellOne({ id, kind, bandId, mode, status, total, done, failed }: Progress): void {
    if (bandId !== null)
      this.signal(bandId, 'sync.progress', id, { operationId: id, kind, mode, status, total, done, failed });
    const fact = { operationId: id, kind, bandId, fileId: null, done, total, at: new Date().toISOString() };
    this.bus
      .publish('sync.progress', fact)
      .catch((error: unknown) => this.logger.warn(`A listener of sync.progress failed: ${saidBy(error)}`));
  }

  /** Never throws: nobody waits for it, and the work goes on. */
  private signal(bandId: string, type: string, key: string, data: Record<string, unknown>): void {
    try {
      this.broadcaster.signal({ channel: bandChannel(bandId), type, key, data });
    } catch (error) {
      this.logger.warn(`Band ${bandId} is not told of its operations: ${(error as Error).message}`);
    }
  }
}
