import { Logger } from '@nestjs/common';
import type { Bus, Facts } from '@soleil/bus';
import type { SyncOperation } from '../entities/sync-operation.js';
import { monotonicMs } from '../monotonic.js';
import type { ResolvedSyncOptions } from '../options.js';
import type { Completions } from './completions.js';
import { failureOf } from './failure.js';
import { mostAtOnce, type NewOperation } from './intake.js';
import type { Lookout } from './lookout.js';
import { LeaseLost, type Claim, type OperationQueue, type Progress } from './operation-queue.js';
import type { Preparation } from './preparation.js';
import type { ProgressTeller } from './progress-teller.js';
import type { Slots } from './slots.js';
import type { Effect } from './work.js';

/** An operation in the hands of this process. */
export interface Held {
  claim: Claim;
  claimedAt: number;
  hasBegun: boolean;
  /** What became of it is committed, and its key is free. */
  isOver: boolean;
  /** Aborted when it is cancelled, or another process has it. */
  lost: AbortController;
  ended: Promise<void>;
}

/** The code by which a source says that it throttles. */
const sourceIsBusy = 'drive_busy';

/**
 * Brings an operation that is held to its end: waits for its place, has it prepared, and lets it take effect, become items, or fail. Tells the
 * bus and the screens on the way.
 */
export class OperationRunner {
  private readonly logger = new Logger('SyncEngine');

  constructor(
    private readonly bus: Bus,
    private readonly queue: OperationQueue,
    private readonly preparation: Preparation,
    private readonly completions: Completions,
    private readonly progress: ProgressTeller,
    private readonly slots: Slots,
    private readonly lookout: Lookout,
    private readonly options: Pick<ResolvedSyncOptions, 'attempts' | 'retryBaseMs'>,
  ) {}

  /** Never throws. */
  async run(held: Held): Promise<void> {
    const { claim, lost } = held;
    const { operation } = claim;
    if ((await this.slots.take(operation.priority, lost.signal)) === 'lost') {
      held.isOver = true;
      return this.lookout.mayBeDue();
    }
    held.hasBegun = true;
    try {
      await this.tell('sync.started', factOf(operation));
      this.progress.changed(operation.bandId);
      const { effect, preparedMs } = await this.prepare(held);
      if (effect.kind === 'items') return await this.spread(held, effect.items);
      const { updated, progress } = await this.completions.complete({ claim, effect, preparedMs });
      held.isOver = true;
      this.lookout.completed();
      if (updated) await this.tell('sync.file_updated', updated);
      await this.tell('sync.completed', factOf(operation));
      await this.follow(progress);
    } catch (error) {
      if (error instanceof LeaseLost) this.logger.warn(error.message);
      else await this.failed(claim, error);
      held.isOver = true;
      this.lookout.mayBeDue();
    }
    this.progress.changed(operation.bandId);
  }

  /** Does the asking, and leaves the slot to the next one. */
  private async prepare({ claim, claimedAt, lost }: Held): Promise<{ effect: Effect; preparedMs: number }> {
    try {
      const effect = await this.preparation.of(claim.operation, lost.signal);
      return { effect, preparedMs: monotonicMs() - claimedAt };
    } finally {
      this.slots.free(claim.operation.priority);
      this.lookout.hasRoom();
    }
  }

  /**
   * In steps: one transaction for a whole library would take more locks than the database has. Should this process die in between, the
   * operation runs again, and those that wait are joined.
   */
  private async spread(held: Held, items: (NewOperation & { fileId: string })[]): Promise<void> {
    const { claim } = held;
    for (let begin = 0; begin < items.length; begin += mostAtOnce) {
      const { added, progress } = await this.queue.addItems(claim, items.slice(begin, begin + mostAtOnce));
      if (added > 0) this.lookout.tellOthers();
      await this.follow(progress);
      this.lookout.mayBeDue();
    }
    const progress = await this.queue.spread(claim);
    held.isOver = true;
    this.lookout.mayBeDue();
    await this.follow([progress]);
  }

  private async failed(claim: Claim, error: unknown): Promise<void> {
    const { operation } = claim;
    const failure = failureOf(operation, error, this.options);
    const { code, message } = failure;
    this.logger.warn(
      `Operation ${operation.id} (${operation.orderingKey}, attempt ${operation.attempts}) failed: ${(error as Error).message}`,
    );
    try {
      // The source asked for time: the band's other operations need not find out one by one. One that does not answer may do so for one
      // file alone.
      if (code === sourceIsBusy && failure.retryInMs !== null && operation.bandId !== null)
        await this.queue.pause(operation.bandId, failure.retryInMs, failure);
      const progress = await this.queue.fail(claim, failure);
      await this.tell('sync.failed', { ...factOf(operation), code, message, willRetry: failure.retryInMs !== null });
      await this.follow(progress);
    } catch (unsettled) {
      // The lease runs out and the operation waits again.
      this.logger.warn(`Operation ${operation.id} could not be put back: ${(unsettled as Error).message}`);
    }
  }

  private async follow(progress: readonly Progress[]): Promise<void> {
    this.progress.tell(progress);
    for (const { id, kind, bandId, status } of progress)
      if (status === 'completed') await this.tell('sync.completed', factOf({ id, kind, bandId, fileId: null }));
  }

  /** `sync.*` facts are told at most once; a listener that fails does not undo what is committed. */
  private async tell<Name extends 'sync.started' | 'sync.completed' | 'sync.failed' | 'sync.file_updated'>(
    name: Name,
    fact: Facts[Name],
  ): Promise<void> {
    try {
      await this.bus.publish(name, fact);
    } catch (error) {
      this.logger.warn(`A listener of ${name} failed: ${(error as Error).message}`);
    }
  }
}

function factOf({
  id,
  kind,
  bandId,
  fileId,
}: Pick<SyncOperation, 'id' | 'kind' | 'bandId' | 'fileId'>): Facts['sync.started'] {
  return { operationId: id, kind, bandId, fileId, at: new Date().toISOString() };
}
