import { Logger } from '@nestjs/common';
import type { Bus, Facts } from '@soleil/bus';
import type { SyncOperation } from '../entities/sync-operation.js';
import { saidBy } from './failure.js';
import type { Progress } from '../queue/items.js';
import type { LostOperation } from '../queue/losses.js';
import type { ProgressTeller } from './progress-teller.js';

type Told = Pick<SyncOperation, 'id' | 'kind' | 'bandId' | 'fileId'>;
type Name = 'sync.started' | 'sync.completed' | 'sync.failed' | 'sync.file_updated';

/** A listener that takes longer is waited for by nobody. */
const longestHearingMs = 5_000;

/**
 * Tells the bus, and the screens that list the queue, what becomes of operations. `sync.*` facts are told at most once; a listener that fails
 * does not undo what is committed, and who works on operations waits for none that hears what became of them.
 */
export class OperationNews {
  private readonly logger = new Logger('SyncEngine');
  private readonly telling = new Set<Promise<void>>();
  /** Facts of which a listener did not return in time, and whether none has since. */
  private readonly late = new Map<Name, boolean>();

  constructor(
    private readonly bus: Bus,
    private readonly progress: ProgressTeller,
  ) {}

  /** Resolves when it is heard, or a listener takes too long. */
  async started(operation: Told): Promise<void> {
    await this.tell('sync.started', factOf(operation));
    this.progress.changed(operation.bandId);
  }

  /** @param progress how operations stand whose item it did */
  completed(operation: Told, updated: Facts['sync.file_updated'] | null, progress: readonly Progress[]): void {
    this.inTurn(async () => {
      if (updated) await this.tell('sync.file_updated', updated);
      await this.tell('sync.completed', factOf(operation));
      await this.ended(progress);
    });
    this.progress.changed(operation.bandId);
    this.progress.tell(progress);
  }

  failed(
    operation: Told,
    why: Pick<Facts['sync.failed'], 'code' | 'message' | 'willRetry'>,
    progress: readonly Progress[],
  ): void {
    this.inTurn(async () => {
      await this.tell('sync.failed', { ...factOf(operation), ...why });
      await this.ended(progress);
    });
    this.progress.changed(operation.bandId);
    this.progress.tell(progress);
  }

  /** Of processes that are gone, by one that is there. */
  lost(operations: readonly LostOperation[], progress: readonly Progress[]): void {
    for (const { code, message, isDead, ...operation } of operations)
      this.failed(operation, { code, message, willRetry: !isDead }, []);
    this.moved(progress);
  }

  /** How operations with items stand. */
  moved(operations: readonly Progress[]): void {
    this.progress.tell(operations);
    this.inTurn(() => this.ended(operations));
  }

  /** Resolves when all that was told is heard, or listeners take too long. */
  async heard(): Promise<void> {
    await Promise.all(this.telling);
  }

  /** Those whose last item has ended are completed: told after that item. */
  private async ended(operations: readonly Progress[]): Promise<void> {
    for (const { id, kind, bandId, status } of operations)
      if (status === 'completed') await this.tell('sync.completed', factOf({ id, kind, bandId, fileId: null }));
  }

  private inTurn(tell: () => Promise<void>): void {
    const told = tell().finally(() => this.telling.delete(told));
    this.telling.add(told);
  }

  private async tell<Of extends Name>(name: Of, fact: Facts[Of]): Promise<void> {
    const heard = this.bus.publish(name, fact).then(
      () => this.returned(name),
      (error: unknown) => {
        this.returned(name);
        this.logger.warn(`A listener of ${name} failed: ${saidBy(error)}`);
      },
    );
    // What came upon one that does not return need not wait for it again each time.
    if (this.late.get(name)) return;
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.isLate(name);
        resolve();
      }, longestHearingMs);
    });
    await Promise.race([heard, isLate]);
    clearTimeout(timer);
  }

  private returned(name: Name): void {
    if (this.late.has(name)) this.late.set(name, false);
  }

  private isLate(name: Name): void {
    if (!this.late.has(name))
      this.logger.warn(`A listener of ${name} has not returned within ${longestHearingMs} ms: operations go on without it.`);
    this.late.set(name, true);
  }
}

const factOf = ({ id, kind, bandId, fileId }: Told): Facts['sync.started'] => ({
  operationId: id,
  kind,
  bandId,
  fileId,
  at: new Date().toISOString(),
});
