import { randomUUID } from 'node:crypto';
import { priorities, SyncOperation, type Priority } from '../entities/sync-operation.js';
import type { BandPaces } from './band-paces.js';
import * as statements from './lease-statements.js';
import type { QueueDatabase } from './queue-database.js';

/** A running operation in the hands of the worker that claimed it. */
export interface Claim {
  operation: SyncOperation;
  token: string;
}

export interface LeaseOptions {
  node: string;
  /** The number of this process, by whose lock others see that it lives. */
  worker: number;
  leaseMs: number;
  /** Operations of one band that may begin in a minute. Null: as many as can. */
  bandOperationsPerMinute: number | null;
}

/** How a process comes to hold operations, and keeps them. */
export class Leases {
  constructor(
    private readonly database: QueueDatabase,
    private readonly paces: BandPaces,
    private readonly options: LeaseOptions,
  ) {}

  /**
   * Takes up to `limit` operations that are due, by priority, then by age, and beside these up to `oldest` that have been due for longest.
   * Those that their band keeps waiting are passed over, and are due when it goes on. @param from these priorities only
   * @param onLeft called where others may be due that were not looked at: what is claimed does not wait for that
   */
  async claim(limit: number, from: readonly Priority[], oldest = 0, onLeft: () => void = () => undefined): Promise<Claim[]> {
    const claimed: Claim[] = [];
    // Where no band is limited or paused, and that is the rule, a look at their paces is enough.
    for (let isPaced = this.options.bandOperationsPerMinute !== null; ; isPaced = true) {
      const left = limit + oldest - claimed.length;
      const ofOldest = Math.min(oldest, left);
      const { claims, kept } = await this.claimOnce(isPaced, left - ofOldest, from, ofOldest).catch((error: Error) => {
        // What is in our hands must not be forgotten; the error will come again.
        if (claimed.length === 0) throw error;
        return { claims: [], kept: null };
      });
      claimed.push(...claims);
      if (kept?.size === 0) return claimed;
      if (!kept || (isPaced && claimed.length > 0)) {
        onLeft();
        return claimed;
      }
    }
  }

  /** Extends the leases of exactly the operations held here. @returns the ids of those that are not held any more */
  async renew(claims: readonly Claim[]): Promise<Set<string>> {
    const rows = await this.database.query<{ id: string }>(statements.renew, [
      claims.map(({ operation }) => operation.id),
      claims.map(({ token }) => token),
      this.options.leaseMs,
    ]);
    return new Set(rows.map(({ id }) => id));
  }

  private async claimOnce(
    isPaced: boolean,
    limit: number,
    from: readonly Priority[],
    oldest: number,
  ): Promise<{ claims: Claim[]; kept: ReadonlySet<string> }> {
    const { node, leaseMs, worker, bandOperationsPerMinute } = this.options;
    const token = randomUUID();
    const rows = await this.database.query<ClaimedRow>(statements.claim(isPaced, oldest > 0), [
      from.map((priority) => priorities[priority]),
      limit,
      node,
      token,
      leaseMs,
      worker,
      ...(isPaced ? [bandOperationsPerMinute] : []),
      ...(oldest > 0 ? [oldest] : []),
    ]);
    const claims = rows.flatMap((row) => (row.kept_band === null ? [{ operation: this.operationOf(row), token }] : []));
    const kept = new Set(rows.flatMap(({ kept_band }) => kept_band ?? []));
    // What is claimed is held whatever becomes of this: the next claim comes upon the band again.
    if (isPaced) await Promise.allSettled([...kept].map((bandId) => this.paces.postpone(bandId, bandOperationsPerMinute)));
    return { claims, kept };
  }

  private operationOf(row: ClaimedRow): SyncOperation {
    const { columns } = this.database.source.getMetadata(SyncOperation);
    const values = columns.map(({ propertyName, databaseName }) => [propertyName, row[databaseName]] as const);
    return Object.assign(new SyncOperation(), Object.fromEntries(values));
  }
}

/** This worker's lease ran out, and another one has the operation, or it was cancelled. Nothing it did has taken effect. */
export class LeaseLost extends Error {
  constructor(operationId: string) {
    super(`Operation ${operationId} is in other hands by now`);
    this.name = 'LeaseLost';
  }
}

/** A claim, or only the band that keeps an operation waiting. */
type ClaimedRow = Record<string, unknown> & { kept_band: string | null };
