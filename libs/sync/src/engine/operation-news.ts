import { Logger } from '@nestjs/common';
import type { Bus, Facts } from '@soleil/bus';
import type { SyncOperation } from '../entities/sync-operation.js';
import type { LostOperation, Progress } from './operation-queue.js';
import type { ProgressTeller } from './progress-teller.js';

type Told = Pick<SyncOperation, 'id' | 'kind' | 'bandId' | 'fileId'>;

/**
 * Tells the bus, and the screens that list the queue, what becomes of operations. `sync.*` facts are told at most once; a listener that fails
 * does not undo what is committed.
 */
export class OperationNews {
  private readonly logger = new Logger('SyncEngine');

  constructor(
    private readonly bus: Bus,
    private readonly progress: ProgressTeller,
  ) {}

  async started(operation: Told): Promise<void> {
    await this.tell('sync.started', factOf(operation));
    this.progress.changed(operation.bandId);
  }

  async completed(operation: Told, updated: Facts['sync.file_updated'] | null): Promise<void> {
    if (updated) await this.tell('sync.file_updated', updated);
    await this.tell('sync.completed', factOf(operation));
    this.progress.changed(operation.bandId);
  }

  async failed(operation: Told, why: Pick<Facts['sync.failed'], 'code' | 'message' | 'willRetry'>): Promise<void> {
    await this.tell('sync.failed', { ...factOf(operation), ...why });
    this.progress.changed(operation.bandId);
  }

  /** Of processes that are gone, by one that is there. */
  async lost(operations: readonly LostOperation[]): Promise<void> {
    for (const { code, message, isDead, ...operation } of operations)
      await this.failed(operation, { code, message, willRetry: !isDead });
  }

  /** How operations with items stand. */
  async moved(operations: readonly Progress[]): Promise<void> {
    this.progress.tell(operations);
    for (const { id, kind, bandId, status } of operations)
      if (status === 'completed') await this.tell('sync.completed', factOf({ id, kind, bandId, fileId: null }));
  }

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

const factOf = ({ id, kind, bandId, fileId }: Told): Facts['sync.started'] => ({
  operationId: id,
  kind,
  bandId,
  fileId,
  at: new Date().toISOString(),
});
