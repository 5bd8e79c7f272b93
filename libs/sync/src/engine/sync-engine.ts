import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Bus, CodedError, together, type Facts } from '@soleil/bus';
import { codes, SyncError } from '@soleil/sync-protocol';
import type { DataSource, EntityManager } from 'typeorm';
import { SyncItem } from '../entities/sync-item.js';
import { SyncOperation, type OperationKind, type OperationStatus } from '../entities/sync-operation.js';
import { isDatabaseAway } from '../log/database-away.js';
import type { CommitWatch } from '../log/commit-watch.js';
import { NodeLink } from '../log/node-link.js';
import { Wake } from '../log/wake.js';
import { monotonicMs } from '../monotonic.js';
import type { ResolvedSyncOptions } from '../options.js';
import { bandOperation, type BandWork } from './band-work.js';
import { Completions } from './completions.js';
import type { FileSynchronizer } from './file-synchronizer.js';
import {
  LeaseLost,
  longestPauseMs,
  OperationQueue,
  type BandPause,
  type Claim,
  type Enqueued,
  type Failure,
  type NewOperation,
  type Progress,
} from './operation-queue.js';
import type { ProgressTeller } from './progress-teller.js';
import { Slots, type Turn } from './slots.js';
import type { Effect } from './work.js';

export interface OperationFilter {
  bandIds: readonly string[];
  kind?: OperationKind;
  status?: OperationStatus;
  /** At most 200. Default 50. */
  limit?: number;
}

/** An operation in the hands of this process. */
interface Held {
  claim: Claim;
  claimedAt: number;
  hasBegun: boolean;
  /** What became of it is committed, and its key is free. */
  isOver: boolean;
  /** Aborted when it is cancelled, or another process has it. */
  lost: AbortController;
  ended: Promise<void>;
}

/** A worker silent for this long loses its operations. */
export const operationLeaseMs = 5_000;
const beatMs = 500;
/**
 * An operation that was in the hands of so many processes that ended is taken to be what ends them. Others are not by then: with `retryBaseMs` of
 * a second, the last wait before it is two minutes, for each operation another time.
 */
const mostLosses = 10;
/** Operations stored or items added in one transaction, at most: each takes a lock of the database until it ends. */
const mostAtOnce = 200;
/** The code by which a source says that it throttles. */
const sourceIsBusy = 'drive_busy';
/** Claimed ahead, and not begun for so long: others may have the time. */
const longestAheadMs = 1_000;
/** Prepared ones that wait for their transaction, beyond which nothing is claimed. */
const mostPrepared = 200;

/**
 * Works the queue of sync operations. An operation is claimed with a lease, does its asking without holding anything, and
 * then takes effect in the one transaction that completes it. A process that dies is noticed by the others within half a second, and
 * what it had claimed is claimed again.
 */
@Injectable()
export class SyncEngine implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('SyncEngine');
  private readonly wakeUp = new Wake();
  /** Something may be due that the last claim could not find: … */
  private isNews = true;
  /** … a new operation, or one whose file was being worked on. */
  private hasCompleted = false;
  /** The last claim found as many as it asked for. */
  private isMore = false;
  private claimedAt = -Infinity;
  private readonly held = new Map<string, Held>();
  private readonly slots: Slots;
  private readonly completions: Completions;
  private readonly enqueuing: (operation: NewOperation) => Promise<Enqueued>;
  private loop: Promise<void> | null = null;
  private heartbeat: NodeJS.Timeout | null = null;
  private beating: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly bus: Bus,
    private readonly database: DataSource,
    private readonly queue: OperationQueue,
    private readonly files: FileSynchronizer,
    private readonly bands: BandWork,
    private readonly progress: ProgressTeller,
    private readonly link: NodeLink,
    private readonly commits: CommitWatch,
    private readonly options: ResolvedSyncOptions,
  ) {
    this.slots = new Slots(options.workers, monotonicMs);
    this.completions = new Completions(database, queue, files);
    this.enqueuing = together((wanted: readonly NewOperation[]) => queue.enqueue(wanted), {
      atMost: mostAtOnce,
      isHopeless: isDatabaseAway,
    });
    link.onNews((news) => {
      if (news.kind === 'queue') this.mayBeDue();
      if (news.kind === 'cancelled') this.held.get(news.operationId)?.lost.abort();
    });
    link.onReconnected(() => this.mayBeDue());
  }

  /**
   * Stores an operation and returns its id once that is committed. It joins one for the same file that waits already. Those that are
   * enqueued while a transaction is on its way share the next one; with a transaction of the caller's own it exists exactly if that commits.
   */
  async enqueue(operation: NewOperation, { transaction }: { transaction?: EntityManager } = {}): Promise<string> {
    const [{ id, isNew }] = transaction
      ? ((await this.queue.enqueue([operation], transaction)) as [Enqueued])
      : [await this.enqueuing(operation)];
    this.commits.after(transaction, () => {
      if (this.isBusyWith(operation.orderingKey)) this.progress.changed(operation.bandId ?? null);
      else if (isNew) this.waits([operation.bandId ?? null]);
      else this.mayBeDue();
    });
    return id;
  }

  /**
   * Has the bands looked over, by a delta each, that were not for `olderThanMs`, by default for their interval, unless that is being done.
   * @returns the bands of which that is true
   */
  async lookOver(
    bandIds: readonly string[],
    { olderThanMs, ...look }: Pick<NewOperation, 'priority' | 'cause'> & { olderThanMs?: number },
  ): Promise<string[]> {
    const looks = bandIds.map((bandId) => ({ ...bandOperation(bandId, 'delta'), ...look }));
    const due = await this.queue.enqueueLooks(looks, { olderThanMs, intervalMs: this.options.bandSyncIntervalMs });
    if (due.length > 0) this.waits(due);
    return due;
  }

  /** @throws SyncError `operation_unknown` */
  async operation(id: string): Promise<SyncOperation> {
    const found = await this.database.getRepository(SyncOperation).findOneBy({ id });
    if (!found) throw new SyncError('operation_unknown', 'There is no such operation.');
    return found;
  }

  /** Newest first. */
  async operations({ bandIds, kind, status, limit = 50 }: OperationFilter): Promise<SyncOperation[]> {
    return this.database
      .getRepository(SyncOperation)
      .createQueryBuilder('o')
      .where('o.bandId = any(:bandIds)', { bandIds })
      .andWhere(kind ? 'o.kind = :kind' : 'true', { kind })
      .andWhere(status ? 'o.status = :status' : 'true', { status })
      .orderBy('o.createdAt', 'DESC')
      .limit(Math.min(limit, 200))
      .getMany();
  }

  /** Operations of these bands by status: those of the last day, and those that are not finished or dead. */
  async counts(bandIds: readonly string[]): Promise<Partial<Record<OperationStatus, number>>> {
    const rows = await this.database.query<{ status: OperationStatus; count: number }[]>(
      `select status, count(*)::int as count from sync_operation
       where band_id = any($1) and (created_at > clock_timestamp() - interval '1 day' or status in ('pending', 'running', 'failed', 'dead'))
       group by status`,
      [bandIds],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }

  /** Why a band's operations wait, all but critical ones, since when and until when; null: they begin as they come. */
  async pausedBand(bandId: string): Promise<BandPause | null> {
    return this.queue.pausedBand(bandId);
  }

  /** What became of each file of an operation that is about many, those that failed first. @param limit at most 1,000 */
  async items(operationId: string, limit = 200): Promise<SyncItem[]> {
    return this.database
      .createQueryBuilder(SyncItem, 'i')
      .where('i.operationId = :operationId', { operationId })
      .orderBy(`array_position(array['failed', 'waiting', 'cancelled', 'completed'], i.status)`)
      .addOrderBy('i.fileId')
      .limit(Math.min(limit, 1_000))
      .getMany();
  }

  /**
   * Ends an operation that is not finished, in the middle of its work too: nothing of it takes effect any more. Of one that is about many
   * files, those end that nothing else waits for.
   * @throws SyncError `operation_unknown`, `operation_finished`
   */
  async cancel(id: string): Promise<void> {
    const ended = await this.queue.cancel(id);
    if (!ended) throw finished(await this.operation(id), 'It is finished; there is nothing to cancel.');
    this.held.get(id)?.lost.abort();
    this.link.tell({ kind: 'cancelled', operationId: id });
    this.progress.tell(ended.progress);
    this.progress.changed((await this.operation(id)).bandId);
  }

  /** Tries a dead operation again. @throws SyncError `operation_unknown`, `operation_not_dead` */
  async retry(id: string): Promise<void> {
    if (!(await this.queue.retry(id))) throw notDead(await this.operation(id));
    this.waits([(await this.operation(id)).bandId]);
  }

  /** Gives a dead operation up: it is not listed among the dead any more. @throws SyncError `operation_unknown`, `operation_not_dead` */
  async discard(id: string): Promise<void> {
    if (!(await this.queue.discard(id))) throw notDead(await this.operation(id));
    this.progress.changed((await this.operation(id)).bandId);
  }

  onApplicationBootstrap(): void {
    this.loop = this.work();
    this.heartbeat = setInterval(() => {
      this.beating ??= this.beat().finally(() => (this.beating = null));
    }, beatMs);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.wakeUp.notify();
    await this.loop;
    await this.release(0).catch((error: Error) => this.logger.debug(`Nothing is put back: ${error.message}`));
    await Promise.all([...this.held.values()].map(({ ended }) => ended));
    if (this.heartbeat) clearInterval(this.heartbeat);
    await this.beating;
    this.progress.stop();
  }

  private async work(): Promise<void> {
    await this.bus.ready();
    while (!this.stopping) {
      const claims = await this.claim().catch((error: Error) => {
        this.logger.warn(`Not claiming for now: ${error.message}`);
        return [];
      });
      for (const claim of claims) this.take(claim);
      if (claims.length === 0) await this.wakeUp.wait(this.options.pollMs);
    }
  }

  /** There are new operations, on these bands. */
  private waits(bandIds: readonly (string | null)[]): void {
    this.mayBeDue();
    this.link.tell({ kind: 'queue' });
    for (const bandId of bandIds) this.progress.changed(bandId);
  }

  /** What waits under a key that this process works on is due when that is over, and not before: nobody needs to look now. */
  private isBusyWith(key: string): boolean {
    for (const { claim, isOver } of this.held.values()) if (!isOver && claim.operation.orderingKey === key) return true;
    return false;
  }

  private mayBeDue(): void {
    this.isNews = true;
    this.wakeUp.notify();
  }

  /** Nothing while the others could not see that this process lives: they would take it all away. */
  private async claim(): Promise<Claim[]> {
    const turn = this.slots.next;
    if (!turn || !this.link.isPresent || this.held.size > this.options.workers + mostPrepared) return [];
    if (!this.isWorthwhile(turn)) return [];
    this.isNews = this.hasCompleted = false;
    this.claimedAt = monotonicMs();
    const claims = await this.queue.claim(turn.limit, turn.from, turn.oldest);
    this.isMore = claims.length > 0 && claims.length >= turn.limit;
    this.slots.had(turn, claims.length);
    return claims;
  }

  /** A place that is free is no news where the last claim found fewer than it asked for. */
  private isWorthwhile({ from }: Turn): boolean {
    if (this.isNews || monotonicMs() - this.claimedAt >= this.options.pollMs) return true;
    const isUrgentOnly = from.length === 1;
    return isUrgentOnly ? this.hasCompleted && this.slots.ahead === 0 : this.isMore || this.hasCompleted;
  }

  private take(claim: Claim): void {
    const { id } = claim.operation;
    // This process may have lost it, without knowing yet, and claimed it again.
    this.held.get(id)?.lost.abort();
    const held: Held = {
      claim,
      claimedAt: monotonicMs(),
      hasBegun: false,
      isOver: false,
      lost: new AbortController(),
      ended: Promise.resolve(),
    };
    this.held.set(id, held);
    held.ended = this.run(held).finally(() => {
      if (this.held.get(id) === held) this.held.delete(id);
    });
  }

  private async beat(): Promise<void> {
    try {
      if (this.held.size > 0) {
        const lost = await this.queue.renew([...this.held.values()].map(({ claim }) => claim));
        for (const id of lost) this.held.get(id)?.lost.abort();
        await this.release(longestAheadMs);
      }
      const { bandIds, progress } = await this.queue.reclaim(mostLosses, this.options.retryBaseMs);
      this.progress.tell(progress);
      for (const bandId of bandIds) this.progress.changed(bandId);
      if (bandIds.length > 0) this.mayBeDue();
    } catch (error) {
      this.logger.debug(`No heartbeat: ${(error as Error).message}`);
    }
  }

  /** Leaves to others what was claimed ahead and has not begun for so long: what took nothing takes long all of a sudden. */
  private async release(olderThanMs: number): Promise<void> {
    const late = [...this.held.values()].filter(
      ({ hasBegun, claimedAt, lost }) => !hasBegun && !lost.signal.aborted && monotonicMs() - claimedAt >= olderThanMs,
    );
    if (late.length === 0) return;
    for (const { lost } of late) lost.abort();
    await this.queue.release(late.map(({ claim }) => claim));
    this.link.tell({ kind: 'queue' });
  }

  private async run(held: Held): Promise<void> {
    const { claim, lost } = held;
    const { operation } = claim;
    if ((await this.slots.take(operation.priority, lost.signal)) === 'lost') {
      held.isOver = true;
      return this.mayBeDue();
    }
    held.hasBegun = true;
    try {
      await this.tell('sync.started', factOf(operation));
      this.progress.changed(operation.bandId);
      const { effect, preparedMs } = await this.prepare(held);
      if (effect.kind === 'items') return await this.spread(held, effect.items);
      const { updated, progress } = await this.completions.complete({ claim, effect, preparedMs });
      held.isOver = this.hasCompleted = true;
      this.wakeUp.notify();
      if (updated) await this.tell('sync.file_updated', updated);
      await this.tell('sync.completed', factOf(operation));
      await this.follow(progress);
    } catch (error) {
      if (error instanceof LeaseLost) this.logger.warn(error.message);
      else await this.failed(claim, error);
      held.isOver = true;
      this.mayBeDue();
    }
    this.progress.changed(operation.bandId);
  }

  /** Does the asking, and leaves the slot to the next one. */
  private async prepare({ claim, claimedAt, lost }: Held): Promise<{ effect: Effect; preparedMs: number }> {
    const { operation } = claim;
    try {
      const effect = await this.withinTime(this.effectOf(operation), operation.id, lost.signal);
      return { effect, preparedMs: monotonicMs() - claimedAt };
    } finally {
      this.slots.free(operation.priority);
      this.wakeUp.notify();
    }
  }

  private effectOf(operation: SyncOperation): Promise<Effect> {
    if (operation.kind === 'file') return this.files.prepare(operation);
    return operation.kind === 'band' ? this.bands.prepareBand(operation) : this.bands.prepareUserSetup(operation);
  }

  /**
   * In steps: one transaction for a whole library would take more locks than the database has. Should this process die in between, the
   * operation runs again, and those that wait are joined.
   */
  private async spread(held: Held, items: (NewOperation & { fileId: string })[]): Promise<void> {
    const { claim } = held;
    for (let begin = 0; begin < items.length; begin += mostAtOnce) {
      const { added, progress } = await this.queue.addItems(claim, items.slice(begin, begin + mostAtOnce));
      if (added > 0) this.link.tell({ kind: 'queue' });
      await this.follow(progress);
      this.mayBeDue();
    }
    const progress = await this.queue.spread(claim);
    held.isOver = true;
    this.mayBeDue();
    await this.follow([progress]);
  }

  private async follow(progress: readonly Progress[]): Promise<void> {
    this.progress.tell(progress);
    for (const { id, kind, bandId, status } of progress)
      if (status === 'completed') await this.tell('sync.completed', factOf({ id, kind, bandId, fileId: null }));
  }

  /** A question that is never answered must not hold a worker, and its file, for ever. What comes later than this takes no effect. */
  private async withinTime(work: Promise<Effect>, operationId: string, lost: AbortSignal): Promise<Effect> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(answerLate()), this.options.operationTimeoutMs);
      lost.addEventListener('abort', () => reject(new LeaseLost(operationId)), { once: true });
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async failed(claim: Claim, error: unknown): Promise<void> {
    const { operation } = claim;
    const failure = this.failureOf(operation, error);
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

  private failureOf(operation: SyncOperation, error: unknown): Failure {
    const coded = error instanceof CodedError || error instanceof SyncError ? error : null;
    const code = coded?.code ?? 'internal_error';
    const message = coded?.message ?? 'Something went wrong on the server.';
    const remedy = coded?.remedy ?? codes.internal_error.remedy;
    const backoffMs = this.options.retryBaseMs * 2 ** (operation.attempts - 1) * (0.75 + Math.random() / 2);
    const askedMs = coded instanceof CodedError ? coded.retryAfterMs : undefined;
    if (askedMs !== undefined) {
      const retryInMs = Math.max(Math.min(askedMs, longestPauseMs), backoffMs);
      return { code, message, remedy, retryInMs, isFree: true };
    }
    const willRetry = (coded?.retryable ?? true) && operation.attempts < this.options.attempts;
    return { code, message, remedy, retryInMs: willRetry ? backoffMs : null, isFree: false };
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

const answerLate = (): CodedError =>
  new CodedError({
    code: 'answer_late',
    message: 'A module took too long to answer.',
    remedy: 'It is tried again; if it stays, look at what Drive and Content log.',
    status: 504,
    retryable: true,
  });

const finished = ({ status }: SyncOperation, message: string): SyncError =>
  new SyncError('operation_finished', message, { status });

const notDead = ({ status }: SyncOperation): SyncError =>
  new SyncError('operation_not_dead', 'Only an operation that is dead can be tried again or given up.', { status });
