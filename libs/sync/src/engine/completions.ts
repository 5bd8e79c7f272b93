import { together, type Facts } from '@soleil/bus';
import type { EntityManager } from 'typeorm';
import type { FileSynchronizer } from './file-synchronizer.js';
import type { Progress } from '../queue/items.js';
import { LeaseLost, type Claim } from '../queue/leases.js';
import type { QueueDatabase } from '../queue/queue-database.js';
import type { Settlements } from '../queue/settlements.js';
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
  /** How operations stand whose items its transaction did, told with one of those that shared it. */
  progress: Progress[];
}

/** Operations in one transaction. */
const mostAtOnce = 50;

/**
 * Lets operations take effect: those that are ready while a transaction is on its way share the next one, since most of
 * what a completion costs is its commit. One that cannot be published harms no other.
 */
export class Completions {
  private readonly completing = together((all: readonly Prepared[]) => this.inOne(all), { atMost: mostAtOnce });

  constructor(
    private readonly database: QueueDatabase,
    private readonly settlements: Settlements,
    private readonly files: FileSynchronizer,
  ) {}

  /** @throws LeaseLost; what its publishing throws, or the database. It has no effect then */
  complete(prepared: Prepared): Promise<Completed> {
    return this.completing(prepared);
  }

  private async inOne(all: readonly Prepared[]): Promise<(Completed | Error)[]> {
    const hasEffect = all.some(({ effect }) => effect.kind === 'file');
    const { tokens, progress, updates } = hasEffect
      ? await this.database.transaction((transaction) => this.takeEffect(all, transaction))
      : { ...(await this.settlements.complete(all.map(claimOf))), updates: [] };
    const byFile = new Map(updates.map((update) => [update.fileId, update]));
    const first = all.find(isHeldBy(tokens));
    return all.map((one) => {
      const { operation } = one.claim;
      if (!isHeldBy(tokens)(one)) return new LeaseLost(operation.id);
      return { updated: byFile.get(operation.fileId ?? '') ?? null, progress: one === first ? progress : [] };
    });
  }

  private async takeEffect(
    all: readonly Prepared[],
    transaction: EntityManager,
  ): Promise<{ tokens: Map<string, string>; progress: Progress[]; updates: Facts['sync.file_updated'][] }> {
    const { tokens, progress } = await this.settlements.complete(all.map(claimOf), transaction);
    const wanted = all.filter(isHeldBy(tokens)).flatMap(({ effect }) => (effect.kind === 'file' ? effect.wanted : []));
    return { tokens, progress, updates: wanted.length > 0 ? await this.files.publish(wanted, transaction) : [] };
  }
}

/** Not by the operation alone: this process may have lost it and claimed it again. */
const isHeldBy =
  (tokens: ReadonlyMap<string, string>) =>
  ({ claim: { operation, token } }: Prepared): boolean =>
    tokens.get(operation.id) === token;

const claimOf = ({ claim, preparedMs }: Prepared): Claim & { preparedMs: number } => ({ ...claim, preparedMs });
