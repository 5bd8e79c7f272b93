import { Logger } from '@nestjs/common';
import { monotonicMs } from '../monotonic.js';
import type { ResolvedSyncOptions } from '../options.js';
import type { Completions } from './completions.js';
import { failureOf, saidBy } from './failure.js';
import type { BandPaces } from '../queue/band-paces.js';
import { mostAtOnce, type NewOperation } from '../queue/intake.js';
import type { Items, Progress } from '../queue/items.js';
import { LeaseLost, type Claim } from '../queue/leases.js';
import type { Failure, Settlements } from '../queue/settlements.js';
import type { Lookout } from './lookout.js';
import type { OperationNews } from './operation-news.js';
import type { Preparation } from './preparation.js';
import type { Slots } from './slots.js';
import type { Effect } from './work.js';

/** An operation in the hands of this process. */
export interface Held {
  claim: Claim;
  claimedAt: number;
  hasBegun: boolean;
  /** It has a place among those that are asked for. */
  hasPlace: boolean;
  /** Aborted when it is cancelled, or another process has it. */
  lost: AbortController;
  /** What became of it is committed, and its key is free. */
  over: Promise<void>;
}

/**
 * The codes by which a source that asks for time says that it lets nobody of the band in for now: it throttles, wants another credential,
 * or the folder is away.
 */
const bandWaits: ReadonlySet<string> = new Set(['drive_busy', 'credential_revoked', 'folder_missing']);

/**
 * Brings an operation that is held to its end: waits for its place, has it prepared, and lets it take effect, become items, or fail. Tells the
 * bus and the screens on the way.
 */
export class OperationRunner {
  private readonly logger = new Logger('SyncEngine');

  constructor(
    private readonly items: Items,
    private readonly settlements: Settlements,
    private readonly paces: BandPaces,
    private readonly preparation: Preparation,
    private readonly completions: Completions,
    private readonly news: OperationNews,
    private readonly slots: Slots,
    private readonly lookout: Lookout,
    private readonly options: Pick<ResolvedSyncOptions, 'attempts' | 'retryBaseMs'>,
  ) {}

  /** Resolves when what became of it is committed; who hears of that is not waited for. Never throws. */
  async run(held: Held): Promise<void> {
    const { claim, lost } = held;
    const { operation } = claim;
    if ((await this.slots.take(operation.priority, lost.signal)) === 'lost') return this.lookout.mayBeDue();
    held.hasBegun = held.hasPlace = true;
    try {
      const { effect, preparedMs } = await this.prepare(held);
      if (effect.kind === 'items') return await this.spread(held, effect.items);
      const { updated, progress } = await this.completions.complete({ claim, effect, preparedMs });
      this.lookout.completed();
      this.news.completed(operation, updated, progress);
    } catch (error) {
      const failed = await this.settle(claim, error);
      this.leavePlace(held);
      this.lookout.mayBeDue();
      if (!failed) return;
      const { code, message, retryInMs } = failed.failure;
      this.news.failed(operation, { code, message, willRetry: retryInMs !== null }, failed.progress);
    }
  }

  /** Does the asking, and leaves its place to the next one; where it fails, only after that is settled: the band may have to wait. */
  private async prepare(held: Held): Promise<{ effect: Effect; preparedMs: number }> {
    const { operation } = held.claim;
    const effect = await this.preparation.of(operation, held.lost.signal, () => this.news.started(operation));
    this.leavePlace(held);
    return { effect, preparedMs: monotonicMs() - held.claimedAt };
  }

  private leavePlace(held: Held): void {
    if (!held.hasPlace) return;
    held.hasPlace = false;
    this.slots.free(held.claim.operation.priority);
    this.lookout.hasRoom();
  }

  /**
   * In steps: one transaction for a whole library would take more locks than the database has. Should this process die in between, the
   * operation runs again, and those that wait are joined.
   */
  private async spread(held: Held, items: (NewOperation & { fileId: string })[]): Promise<void> {
    const { claim } = held;
    for (let begin = 0; begin < items.length; begin += mostAtOnce) {
      const { added, progress } = await this.items.add(claim, items.slice(begin, begin + mostAtOnce));
      if (added > 0) this.lookout.tellOthers();
      this.news.moved(progress);
      this.lookout.mayBeDue();
    }
    const progress = await this.items.spread(claim);
    this.lookout.mayBeDue();
    this.news.moved([progress]);
  }

  /** @returns how it failed, and how operations with this item stand; null where it is in other hands, or will be */
  private async settle(claim: Claim, error: unknown): Promise<{ failure: Failure; progress: Progress[] } | null> {
    if (error instanceof LeaseLost) {
      this.logger.warn(error.message);
      return null;
    }
    const { operation } = claim;
    const failure = failureOf(operation, error, this.options);
    this.logger.warn(
      `Operation ${operation.id} (${operation.orderingKey}, attempt ${operation.attempts}) failed: ${saidBy(error)}`,
    );
    try {
      // The source lets nobody in for now: the band's other operations need not find out one by one. One that does not answer may do so for one
      // file alone.
      if (bandWaits.has(failure.code) && failure.isFree && failure.retryInMs !== null && operation.bandId !== null)
        await this.paces.pause(operation.bandId, failure.retryInMs, failure);
      return { failure, progress: await this.settlements.fail(claim, failure) };
    } catch (unsettled) {
      // The lease runs out and the operation waits again.
      this.logger.warn(`Operation ${operation.id} could not be put back: ${(unsettled as Error).message}`);
      return null;
    }
  }
}
