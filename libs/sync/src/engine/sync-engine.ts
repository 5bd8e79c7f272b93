import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Bus, CodedError, type Facts } from '@soleil/bus';
import { SyncError } from '@soleil/sync-protocol';
import type { DataSource } from 'typeorm';
import { SyncOperation, type OperationStatus } from '../entities/sync-operation.js';
import { NodeLink } from '../log/node-link.js';
import { Wake } from '../log/wake.js';
import type { ResolvedSyncOptions } from '../options.js';
import { BandWork } from './band-work.js';
import { FileSynchronizer } from './file-synchronizer.js';
import { LeaseLost, OperationQueue, type Claim, type NewOperation } from './operation-queue.js';
import type { Effect } from './work.js';

export interface OperationFilter {
  bandIds: readonly string[];
  status?: OperationStatus;
  /** At most 200. Default 50. */
  limit?: number;
}

/**
 * Works the queue of sync operations. An operation is claimed with a lease, does its asking without holding anything, and
 * then takes effect in the one transaction that completes it. A process that dies leaves operations whose lease runs out,
 * and another takes them on.
 */
@Injectable()
export class SyncEngine implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('SyncEngine');
  private readonly wakeUp = new Wake();
  private readonly held = new Map<Claim, Promise<void>>();
  private loop: Promise<void> | null = null;
  private heartbeat: NodeJS.Timeout | null = null;
  private stopping = false;

  constructor(
    private readonly bus: Bus,
    private readonly database: DataSource,
    private readonly queue: OperationQueue,
    private readonly files: FileSynchronizer,
    private readonly bands: BandWork,
    private readonly link: NodeLink,
    private readonly options: ResolvedSyncOptions,
  ) {
    link.onNews((news) => {
      if (news.kind === 'queue') this.wakeUp.notify();
    });
    link.onReconnected(() => this.wakeUp.notify());
  }

  /** Stores an operation and returns its id once that is committed. It joins one for the same file that waits already. */
  async enqueue(operation: NewOperation): Promise<string> {
    const id = await this.queue.enqueue(operation);
    this.wakeUp.notify();
    this.link.tell({ kind: 'queue' });
    return id;
  }

  /** @throws SyncError `operation_unknown` */
  async operation(id: string): Promise<SyncOperation> {
    const found = await this.database.getRepository(SyncOperation).findOneBy({ id });
    if (!found) throw new SyncError('operation_unknown', 'There is no such operation.');
    return found;
  }

  /** Newest first. */
  async operations({ bandIds, status, limit = 50 }: OperationFilter): Promise<SyncOperation[]> {
    return this.database
      .getRepository(SyncOperation)
      .createQueryBuilder('o')
      .where('o.bandId = any(:bandIds)', { bandIds })
      .andWhere(status ? 'o.status = :status' : 'true', { status })
      .orderBy('o.createdAt', 'DESC')
      .limit(Math.min(limit, 200))
      .getMany();
  }

  /** Operations of these bands by status, those of the last day, and those that are not finished. */
  async counts(bandIds: readonly string[]): Promise<Partial<Record<OperationStatus, number>>> {
    const rows = await this.database.query<{ status: OperationStatus; count: number }[]>(
      `select status, count(*)::int as count from sync_operation
       where band_id = any($1) and (created_at > clock_timestamp() - interval '1 day' or status in ('pending', 'running', 'failed'))
       group by status`,
      [bandIds],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }

  onApplicationBootstrap(): void {
    this.loop = this.work();
    this.heartbeat = setInterval(() => void this.beat(), operationLeaseMs / 5);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.wakeUp.notify();
    await this.loop;
    await Promise.allSettled(this.held.values());
    if (this.heartbeat) clearInterval(this.heartbeat);
  }

  private async work(): Promise<void> {
    await this.bus.ready();
    while (!this.stopping) {
      const free = this.options.workers - this.held.size;
      let claims: Claim[] = [];
      try {
        if (free > 0) claims = await this.queue.claim(free);
      } catch (error) {
        this.logger.warn(`Not claiming for now: ${(error as Error).message}`);
      }
      for (const claim of claims) {
        const run = this.run(claim).finally(() => {
          this.held.delete(claim);
          this.wakeUp.notify();
        });
        this.held.set(claim, run);
      }
      if (claims.length === 0) await this.wakeUp.wait(this.options.pollMs);
    }
  }

  private async beat(): Promise<void> {
    try {
      if (this.held.size > 0) await this.queue.renew([...this.held.keys()]);
      if ((await this.queue.reclaim(this.options.attempts)) > 0) this.wakeUp.notify();
    } catch (error) {
      this.logger.debug(`No heartbeat: ${(error as Error).message}`);
    }
  }

  private async run(claim: Claim): Promise<void> {
    const { operation } = claim;
    try {
      await this.tell('sync.started', factOf(operation));
      const effect = await this.withinTime(this.prepare(operation));
      const updated = await this.database.transaction(async (transaction) => {
        // First of all, so that a zombie stops here, before it waits for anybody's lock.
        await this.queue.complete(claim, transaction);
        return effect.apply(transaction);
      });
      if (updated) await this.tell('sync.file_updated', updated);
      await this.tell('sync.completed', factOf(operation));
    } catch (error) {
      if (error instanceof LeaseLost) this.logger.warn(error.message);
      else await this.failed(claim, error);
    }
  }

  private prepare(operation: SyncOperation): Promise<Effect> {
    if (operation.kind === 'file') return this.files.prepare(operation);
    return operation.kind === 'band' ? this.bands.prepareBand(operation) : this.bands.prepareUserSetup(operation);
  }

  /** A question that is never answered must not hold a worker, and its file, for ever. What comes later than this takes no effect. */
  private async withinTime(work: Promise<Effect>): Promise<Effect> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new CodedError({
              code: 'answer_late',
              message: 'A module took too long to answer.',
              remedy: 'It is tried again; if it stays, look at what Drive and Content log.',
              status: 504,
              retryable: true,
            }),
          ),
        this.options.operationTimeoutMs,
      );
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async failed(claim: Claim, error: unknown): Promise<void> {
    const { operation } = claim;
    const coded = error instanceof CodedError || error instanceof SyncError ? error : null;
    const code = coded?.code ?? 'internal_error';
    const message = coded?.message ?? 'Something went wrong on the server; its log has the cause.';
    const willRetry = (coded?.retryable ?? true) && operation.attempts < this.options.attempts;
    this.logger.warn(
      `Operation ${operation.id} (${operation.orderingKey}, attempt ${operation.attempts}) failed: ${(error as Error).message}`,
    );
    try {
      await this.queue.fail(claim, { code, message }, willRetry ? this.backoffMs(operation.attempts) : null);
      await this.tell('sync.failed', { ...factOf(operation), code, message, willRetry });
    } catch (failure) {
      // The lease runs out and the operation waits again.
      this.logger.warn(`Operation ${operation.id} could not be put back: ${(failure as Error).message}`);
    }
  }

  private backoffMs(attempts: number): number {
    return this.options.retryBaseMs * 2 ** (attempts - 1) * (0.75 + Math.random() / 2);
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

/** A worker silent for this long loses its operations. */
export const operationLeaseMs = 5_000;

function factOf({ id, kind, bandId, fileId }: SyncOperation): Facts['sync.started'] {
  return { operationId: id, kind, bandId, fileId, at: new Date().toISOString() };
}
