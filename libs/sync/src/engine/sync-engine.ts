import { Injectable } from '@nestjs/common';
import { together } from '@soleil/bus';
import { SyncError } from '@soleil/sync-protocol';
import type { EntityManager } from 'typeorm';
import { SyncItem } from '../entities/sync-item.js';
import { SyncOperation, type OperationKind, type OperationStatus } from '../entities/sync-operation.js';
import type { CommitWatch } from '../log/commit-watch.js';
import { isDatabaseAway } from '../log/database-away.js';
import type { NodeLink } from '../log/node-link.js';
import type { ResolvedSyncOptions } from '../options.js';
import { bandOperation } from './band-work.js';
import type { BandPaces, BandPause } from '../queue/band-paces.js';
import type { Cancellations } from '../queue/cancellations.js';
import { mostAtOnce, type Enqueued, type Intake, type NewOperation } from '../queue/intake.js';
import type { QueueDatabase } from '../queue/queue-database.js';
import type { Lookout } from './lookout.js';
import type { OperationNews } from './operation-news.js';
import type { OperationWorker } from './operation-worker.js';
import type { ProgressTeller } from './progress-teller.js';

export interface OperationFilter {
  bandIds: readonly string[];
  kind?: OperationKind;
  status?: OperationStatus;
  /** At most 200. Default 50. */
  limit?: number;
}

/**
 * The queue of sync operations, for those who enqueue, ask and decide. It is worked by the {@link OperationWorker} of each process: an operation is
 * claimed with a lease, does its asking without holding anything, and then takes effect in the one transaction that completes it. A process
 * that dies is noticed by the others within half a second, and what it had claimed is claimed again.
 */
@Injectable()
export class SyncEngine {
  private readonly enqueuing: (operation: NewOperation) => Promise<Enqueued>;

  constructor(
    private readonly database: QueueDatabase,
    private readonly intake: Intake,
    private readonly cancellations: Cancellations,
    private readonly paces: BandPaces,
    private readonly worker: OperationWorker,
    private readonly news: OperationNews,
    private readonly progress: ProgressTeller,
    private readonly lookout: Lookout,
    private readonly link: NodeLink,
    private readonly commits: CommitWatch,
    private readonly options: ResolvedSyncOptions,
  ) {
    this.enqueuing = together((wanted: readonly NewOperation[]) => intake.enqueue(wanted), {
      atMost: mostAtOnce,
      isHopeless: isDatabaseAway,
    });
  }

  /**
   * Stores an operation and returns its id once that is committed. It joins one for the same file that waits already. Those that are
   * enqueued while a transaction is on its way share the next one; with a transaction of the caller's own it exists exactly if that commits.
   */
  async enqueue(operation: NewOperation, { transaction }: { transaction?: EntityManager } = {}): Promise<string> {
    const [{ id, isNew }] = transaction
      ? ((await this.intake.enqueue([operation], transaction)) as [Enqueued])
      : [await this.enqueuing(operation)];
    this.commits.after(transaction, () => {
      // Nobody needs to look now for what is due later.
      if (this.worker.isBusyWith(operation.orderingKey)) this.progress.changed(operation.bandId ?? null);
      else if (isNew) this.waits([operation.bandId ?? null]);
      else this.lookout.hasNew();
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
    const due = await this.intake.enqueueLooks(looks, { olderThanMs, intervalMs: this.options.bandSyncIntervalMs });
    if (due.length > 0) this.waits(due);
    return due;
  }

  /** @throws SyncError `operation_unknown` */
  async operation(id: string): Promise<SyncOperation> {
    const found = await this.database.read((manager) => manager.findOneBy(SyncOperation, { id }));
    if (!found) throw new SyncError('operation_unknown', 'There is no such operation.');
    return found;
  }

  /** Newest first. */
  async operations({ bandIds, kind, status, limit = 50 }: OperationFilter): Promise<SyncOperation[]> {
    return this.database.read((manager) =>
      manager
        .createQueryBuilder(SyncOperation, 'o')
        .where('o.bandId = any(:bandIds)', { bandIds })
        .andWhere(kind ? 'o.kind = :kind' : 'true', { kind })
        .andWhere(status ? 'o.status = :status' : 'true', { status })
        .orderBy('o.createdAt', 'DESC')
        .limit(Math.min(limit, 200))
        .getMany(),
    );
  }

  /** Operations of these bands by status: those of the last day, and those that are not finished or dead. */
  async counts(bandIds: readonly string[]): Promise<Partial<Record<OperationStatus, number>>> {
    const rows = await this.database.query<{ status: OperationStatus; count: number }>(
      `select status, count(*)::int as count from sync_operation
       where band_id = any($1) and (created_at > clock_timestamp() - interval '1 day' or status in ('pending', 'running', 'failed', 'dead'))
       group by status`,
      [bandIds],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }

  /** Why a band's operations wait, all but critical ones, since when and until when; null: they begin as they come. */
  async pausedBand(bandId: string): Promise<BandPause | null> {
    return this.paces.pauseOf(bandId);
  }

  /** What became of each file of an operation that is about many, those that failed first. @param limit at most 1,000 */
  async items(operationId: string, limit = 200): Promise<SyncItem[]> {
    return this.database.read((manager) =>
      manager
        .createQueryBuilder(SyncItem, 'i')
        .where('i.operationId = :operationId', { operationId })
        .orderBy(`array_position(array['failed', 'waiting', 'cancelled', 'completed'], i.status)`)
        .addOrderBy('i.fileId')
        .limit(Math.min(limit, 1_000))
        .getMany(),
    );
  }

  /**
   * Ends an operation that is not finished, in the middle of its work too: nothing of it takes effect any more. Of one that is about many
   * files, those end that nothing else waits for.
   * @throws SyncError `operation_unknown`, `operation_finished`
   */
  async cancel(id: string): Promise<void> {
    const ended = await this.cancellations.cancel(id);
    if (!ended) throw finished(await this.operation(id), 'It is finished; there is nothing to cancel.');
    this.worker.letGo(id);
    this.link.tell({ kind: 'cancelled', operationId: id });
    this.news.moved(ended.progress);
    this.progress.changed((await this.operation(id)).bandId);
  }

  /** Tries a dead operation again. @throws SyncError `operation_unknown`, `operation_not_dead` */
  async retry(id: string): Promise<void> {
    if (!(await this.intake.retry(id))) throw notDead(await this.operation(id));
    this.waits([(await this.operation(id)).bandId]);
  }

  /** Gives a dead operation up: it is not listed among the dead any more. @throws SyncError `operation_unknown`, `operation_not_dead` */
  async discard(id: string): Promise<void> {
    if (!(await this.cancellations.discard(id))) throw notDead(await this.operation(id));
    this.progress.changed((await this.operation(id)).bandId);
  }

  /** There are new operations, on these bands. */
  private waits(bandIds: readonly (string | null)[]): void {
    this.lookout.hasNew();
    for (const bandId of bandIds) this.progress.changed(bandId);
  }
}

const finished = ({ status }: SyncOperation, message: string): SyncError =>
  new SyncError('operation_finished', message, { status });

const notDead = ({ status }: SyncOperation): SyncError =>
  new SyncError('operation_not_dead', 'Only an operation that is dead can be tried again or given up.', { status });
