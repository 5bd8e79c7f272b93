import type { Facts } from '@soleil/bus';
import DataLoader from 'dataloader';
import type { DataSource } from 'typeorm';
import type { FileSynchronizer } from './file-synchronizer.js';
import { LeaseLost, type Claim, type OperationQueue, type Progress } from './operation-queue.js';
import type { Effect } from './work.js';

/** An operation whose questions are answered. */
export interface Prepared {
  claim: Claim;
  effect: Exclude<Effect, { kind: 'items' }>;
  /** How long the questions took. */
  preparedMs: number;
}

/** What is to be told of one that has taken effect. */
export interface Completed {
  updated: Facts['sync.file_updated'] | null;
  /** How the operations stand that it was an item of, as of its transaction. */
  progress: Progress[];
}

/** Operations in one transaction. */
const mostAtOnce = 50;

/**
 * Lets operations take effect: those that are ready while a transaction is on its way share the next one, since most of
 * what a completion costs is its commit. One that cannot be published harms no other.
 */
export class Completions {
  private onItsWay: Promise<unknown> = Promise.resolve();
  private readonly loader = new DataLoader<Prepared, Completed>((all) => this.inOneOrAlone(all), {
    cache: false,
    maxBatchSize: mostAtOnce,
    batchScheduleFn: (dispatch) => void this.onItsWay.then(dispatch),
  });

  constructor(
    private readonly database: DataSource,
    private readonly queue: OperationQueue,
    private readonly files: FileSynchronizer,
  ) {}

  /** @throws LeaseLost; what its publishing throws, or the database. It has no effect then */
  complete(prepared: Prepared): Promise<Completed> {
    return this.loader.load(prepared);
  }

  private async inOneOrAlone(all: readonly Prepared[]): Promise<(Completed | Error)[]> {
    const together = this.inOne(all);
    this.onItsWay = together.catch(() => undefined);
    try {
      return await together;
    } catch (error) {
      if (all.length === 1) return [error as Error];
      return Promise.all(
        all.map((one) =>
          this.inOne([one]).then(
            ([alone]) => alone!,
            (own: Error) => own,
          ),
        ),
      );
    }
  }

  private async inOne(all: readonly Prepared[]): Promise<(Completed | Error)[]> {
    return this.database.transaction(async (transaction) => {
      const claims = all.map(({ claim, preparedMs }) => ({ ...claim, preparedMs }));
      const { ids, progress } = await this.queue.complete(claims, transaction);
      const held = all.filter(({ claim }) => ids.has(claim.operation.id));
      const wanted = held.flatMap(({ effect }) => (effect.kind === 'file' ? effect.wanted : []));
      const updates = wanted.length > 0 ? await this.files.publish(wanted, transaction) : [];
      const byFile = new Map(updates.map((update) => [update.fileId, update]));
      return all.map(({ claim: { operation } }) => {
        if (!ids.has(operation.id)) return new LeaseLost(operation.id);
        // Told once, with the first.
        return {
          updated: byFile.get(operation.fileId ?? '') ?? null,
          progress: operation === held[0]?.claim.operation ? progress : [],
        };
      });
    });
  }
}
