import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { queryWithin, transactionWithin } from '../log/borrowed-runner.js';
import { priorities, SyncOperation, type OperationStatus, type Priority } from '../entities/sync-operation.js';
import { longestAnswerMs, mostAtOnce, type Enqueued, type Intake, type NewOperation } from './intake.js';
import { keyOf, lockKeys } from './intake-statements.js';
import * as paces from './pace-statements.js';
import * as statements from './queue-statements.js';

/** A running operation in the hands of the worker that claimed it. */
export interface Claim {
  operation: SyncOperation;
  token: string;
}

/** How an operation with items stands. */
export interface Progress extends Pick<SyncOperation, 'id' | 'kind' | 'bandId' | 'mode' | 'status'> {
  total: number;
  done: number;
  failed: number;
}

/** Why an operation did not succeed. */
interface OperationError {
  code: string;
  message: string;
  /** What a person may do about it. */
  remedy: string;
}

/** The end of a claim that did not succeed. `retryInMs` null: dead; 0: it waits where it was in the line. */
export interface Failure extends OperationError {
  retryInMs: number | null;
  /** Nothing is wrong with the operation, its source asked for time: the attempt does not count. */
  isFree: boolean;
}

/** The end of a claim that has not begun. */
type NoFailure = Pick<Failure, 'retryInMs' | 'isFree'> & { [Word in keyof OperationError]: null };

/** Whose process is gone. */
type LostFrom = Pick<SyncOperation, 'id' | 'kind' | 'bandId' | 'fileId'>;

/** An operation whose process was lost, and what is said of that. */
export interface LostOperation extends LostFrom, Pick<OperationError, 'code' | 'message'> {
  /** It was lost too often, and is not tried again. */
  isDead: boolean;
}

/** A claim that ends without success. */
interface Unsuccessful {
  id: string;
  orderingKey: string;
  token: string;
}

/** What asks for more time is asked again after this at the latest: nobody could take back a pause of a year. */
export const longestPauseMs = 3_600_000;

export interface QueueOptions {
  node: string;
  /** The number of this process, by whose lock others see that it lives. */
  worker: number;
  leaseMs: number;
  /** Operations of one band that may begin in a minute. Null: as many as can. */
  bandOperationsPerMinute: number | null;
}

/** Why a band's operations wait, since when and until when. */
export interface BandPause {
  since: Date;
  until: Date;
  code: string;
  message: string;
}

/**
 * Operations from their claim to their end, however they come to it. One method, one statement or one transaction. What workers wait for
 * fails where the database does not answer in time: a connection may have died without a word, and what it held is claimed again.
 */
export class OperationQueue {
  constructor(
    private readonly database: DataSource,
    private readonly intake: Intake,
    private readonly options: QueueOptions,
    private readonly answerMs = longestAnswerMs,
  ) {}

  /**
   * Takes up to `limit` operations that are due, by priority, then by age, and beside these up to `oldest` that have been due for longest.
   * Those that their band keeps waiting are passed over, and are due when it goes on. @param from these priorities only
   */
  async claim(limit: number, from: readonly Priority[], oldest = 0): Promise<Claim[]> {
    const claimed: Claim[] = [];
    // Where no band is limited or paused, and that is the rule, a look at their paces is enough.
    for (let isPaced = this.options.bandOperationsPerMinute !== null; ; isPaced = true) {
      const left = limit + oldest - claimed.length;
      const ofOldest = Math.min(oldest, left);
      const { claims, kept } = await this.claimOnce(isPaced, left - ofOldest, from, ofOldest).catch((error: Error) => {
        // What is in our hands must not be forgotten; the error will come again.
        if (claimed.length === 0) throw error;
        return { claims: [], kept: new Set<string>() };
      });
      claimed.push(...claims);
      if (kept.size === 0 || (isPaced && claimed.length > 0)) return claimed;
    }
  }

  /** Extends the leases of exactly the operations held here. @returns the ids of those that are not held any more */
  async renew(claims: readonly Claim[]): Promise<Set<string>> {
    const rows = await this.query<{ id: string }>(statements.renew, [
      claims.map(({ operation }) => operation.id),
      claims.map(({ token }) => token),
      this.options.leaseMs,
    ]);
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * Enqueues an operation for each file as an item of the claimed one, unless that is in other hands by now. Of an event that was taken on
   * before, the item is that operation's while it waits, and has ended as it did; one that is running may end unseen, and another follows it.
   * @returns how many operations are new, and how those with items that ended stand
   * @throws LeaseLost
   */
  async addItems(
    { operation, token }: Claim,
    wanted: readonly (NewOperation & { fileId: string })[],
  ): Promise<{ added: number; progress: Progress[] }> {
    return this.inTransaction(async (transaction) => {
      // Operations are locked before those whose items they are, by everybody.
      const placed = await this.intake.enqueue(wanted, transaction);
      const begun = await this.begun(placed, transaction);
      const isRunning = new Set(begun.flatMap(({ ids, status }) => (status === 'running' ? ids : [])));
      const again = wanted.filter((_, place) => isRunning.has(placed[place]!.id));
      const following = await this.intake.store(again, transaction);
      const by = wanted.map(({ orderingKey }, place) => following.get(orderingKey) ?? placed[place]!);
      if (!(await this.holds(operation.id, token, transaction))) throw new LeaseLost(operation.id);
      await transaction.query(statements.addItems, [
        operation.id,
        wanted.map(({ fileId }) => fileId),
        by.map(({ id }) => id),
      ]);
      const progress: Progress[] = [];
      for (const { ids, status, code, message } of begun) {
        if (status === 'running') continue;
        const fate = status === 'dead' ? 'failed' : status;
        progress.push(...(await this.endItems(ids, fate, { code, message }, transaction)));
      }
      return { added: by.filter(({ isNew }) => isNew).length, progress };
    });
  }

  /** Lets go of an operation whose items are all known: it runs on by itself until the last has ended. @throws LeaseLost */
  async spread({ operation, token }: Claim): Promise<Progress> {
    const [progress] = await this.query<Progress>(statements.spread, [operation.id, token]);
    if (!progress) throw new LeaseLost(operation.id);
    return progress;
  }

  /**
   * Marks claimed operations completed, and the items they did, within the transaction that does their work, where there is any. First of
   * all in it, so that a zombie stops before it waits for anybody's lock. What has items is let go by {@link spread} instead.
   * @returns by which token each was held: a claim with another one is in other hands by now; and how operations with these items stand
   */
  async complete(
    claims: readonly (Claim & { preparedMs: number })[],
    transaction?: EntityManager,
  ): Promise<{ tokens: Map<string, string>; progress: Progress[] }> {
    const tokens = new Map<string, string>();
    const progress: Progress[] = [];
    let left = claims;
    // Most did no items. Those that did are not known before: they were given to operations that waited, until these were claimed.
    for (const statement of [statements.complete, statements.completeWithItems]) {
      if (left.length === 0) break;
      const given = [
        left.map(({ operation }) => operation.id),
        left.map(({ token }) => token),
        left.map(({ preparedMs }) => preparedMs),
      ];
      const rows = await this.query<Progress & { token: string | null }>(statement, given, transaction);
      for (const { token, ...one } of rows) {
        if (token === null) progress.push(one);
        else tokens.set(one.id, token);
      }
      left = left.filter(({ operation }) => !tokens.has(operation.id));
    }
    return { tokens, progress };
  }

  /**
   * Puts a failed operation where it belongs: to wait for `retryInMs`, or among the dead when that is null. Where newer
   * news of the same file waits already, that will do the work, and this one is cancelled.
   * @returns how operations with this item stand
   */
  async fail(claim: Claim, failure: Failure): Promise<Progress[]> {
    return this.settle([claim], failure);
  }

  /** Puts claims back that have not begun: they wait where they were in the line, as if nobody had claimed them. */
  async release(claims: readonly Claim[]): Promise<void> {
    await this.settle(claims, { code: null, message: null, remedy: null, retryInMs: 0, isFree: true });
  }

  /**
   * Operations whose worker is gone wait again: its process died, or was silent for the length of a lease. None loses an attempt by
   * that. After the first loss they are where they were in the line. Since one of them may be what ends workers, from the second on each waits
   * by itself, `backoffMs` and then twice as long each time, give or take a half: so the others come through without it. The one that was
   * lost `most` times is dead. Many in one transaction, for each of them waits.
   *
   * What was claimed ahead and had not begun counts too: to write down what has begun would cost each operation a statement more. It comes
   * through, as the others do. The count begins anew where an operation adds items that it had not added before, so that a long full
   * sync which comes further each time is not given up; it has no more of these than files, so what ends workers ends itself all the same. That
   * other operations did its items says nothing of it, nor does an error, which may come before what ends the process.
   */
  async reclaim(most: number, backoffMs: number): Promise<{ lost: LostOperation[]; progress: Progress[] }> {
    const found = await this.query<Unsuccessful & LostFrom>(statements.lost, [this.options.worker, mostAtOnce]);
    if (found.length === 0) return { lost: [], progress: [] };
    const settings = [most, backoffMs, ...wordsOf(workerLost), ...wordsOf(lostTooOften)];
    const how = { statement: statements.settleLost, settings, ifDead: lostTooOften };
    const settled = new Map<string, OperationStatus>();
    const progress: Progress[] = [];
    // With one that dies, those are locked whose item it was; what has items must not be locked by then.
    for (const hasItems of [false, true]) {
      const some = found.filter(({ kind }) => (kind === 'band') === hasItems);
      if (some.length === 0) continue;
      const ended = await this.end(some, how);
      for (const [id, status] of ended.settled) settled.set(id, status);
      progress.push(...ended.progress);
    }
    const lost = found.flatMap(({ id, kind, bandId, fileId }) => {
      const isDead = settled.get(id) === 'dead';
      const { code, message } = isDead ? lostTooOften : workerLost;
      return settled.has(id) ? { id, kind, bandId, fileId, isDead, code, message } : [];
    });
    return { lost, progress };
  }

  /**
   * Ends an operation that is not finished, whoever holds it, and those that were made for its items and nothing else. What
   * a worker is doing takes no effect any more.
   * @returns null where there was nothing to end
   */
  async cancel(id: string): Promise<{ progress: Progress[] } | null> {
    return this.database.transaction(async (transaction) => {
      // Before its row, as by whoever hands it something: what a lost one was for, and whose item it was.
      const [known] = await transaction.query<{ orderingKey: string }[]>(keyOf, [id]);
      if (!known) return null;
      await transaction.query(lockKeys, [[known.orderingKey]]);
      const ended = await transaction.query<{ id: string }[]>(statements.cancel, [id]);
      if (ended.length === 0) return null;
      const ofItems = await transaction.query<{ id: string }[]>(statements.cancelForItems, [id]);
      const all = [...ended, ...ofItems].map((row) => row.id);
      await transaction.query(statements.cancelItems, [id]);
      return { progress: await this.endItems(all, 'cancelled', cancelled, transaction) };
    });
  }

  /** A dead operation that nobody will try again. */
  async discard(id: string): Promise<boolean> {
    return (await this.database.query<unknown[]>(statements.discard, [id])).length > 0;
  }

  /** Forgets finished operations and events older than `days`, at most `limit` of each; dead ones stay. @returns how many went */
  async prune(days: number, limit: number): Promise<number> {
    const [{ pruned }] = await this.database.query<[{ pruned: number }]>(statements.prune, [days, limit]);
    return pruned;
  }

  /** Lets nothing of a band begin for so long that is not critical, on any node: its source asked for time. An hour at most. */
  async pause(bandId: string, forMs: number, { code, message }: Pick<Failure, 'code' | 'message'>): Promise<void> {
    await this.query(paces.pause, [bandId, Math.min(forMs, longestPauseMs), code, message]);
  }

  /** Null: its operations begin as they come. */
  async pausedBand(bandId: string): Promise<BandPause | null> {
    const [pause] = await this.database.query<BandPause[]>(paces.paused, [bandId]);
    return pause ?? null;
  }

  /** All of the work, or nothing, unless the commit is what was not answered. @throws SyncError `database_unavailable` */
  inTransaction<Result>(work: (transaction: EntityManager) => Promise<Result>): Promise<Result> {
    return transactionWithin(this.database, this.answerMs, work);
  }

  private query<Row>(sql: string, parameters: readonly unknown[], transaction?: EntityManager): Promise<Row[]> {
    return transaction
      ? transaction.query<Row[]>(sql, [...parameters])
      : queryWithin<Row>(this.database, this.answerMs, sql, parameters);
  }

  private async claimOnce(
    isPaced: boolean,
    limit: number,
    from: readonly Priority[],
    oldest: number,
  ): Promise<{ claims: Claim[]; kept: ReadonlySet<string> }> {
    const { node, leaseMs, worker, bandOperationsPerMinute } = this.options;
    const token = randomUUID();
    const rows = await this.query<ClaimedRow>(statements.claim(isPaced, oldest > 0), [
      from.map((priority) => priorities[priority]),
      limit,
      node,
      token,
      leaseMs,
      worker,
      ...(isPaced ? [bandOperationsPerMinute] : []),
      ...(oldest > 0 ? [oldest] : []),
    ]);
    const claims = rows.flatMap(({ kept_band, ...row }) =>
      kept_band === null ? [{ operation: this.database.manager.create(SyncOperation, camelCased(row)), token }] : [],
    );
    const kept = new Set(rows.flatMap(({ kept_band }) => kept_band ?? []));
    // What is claimed is held whatever becomes of this: the next claim comes upon the band again.
    if (isPaced) await Promise.allSettled([...kept].map((bandId) => this.postpone(bandId)));
    return { claims, kept };
  }

  private async postpone(bandId: string): Promise<void> {
    const { bandOperationsPerMinute } = this.options;
    const { code, message } = minuteSpent;
    await this.query(paces.postpone, [bandId, bandOperationsPerMinute, code, message]);
  }

  private async holds(id: string, token: string, transaction: EntityManager): Promise<boolean> {
    return (await transaction.query<unknown[]>(statements.holds, [id, token])).length > 0;
  }

  /** Those of them that took an event on before and do not wait any more; the others cannot begin before commit. */
  private async begun(placed: readonly Enqueued[], transaction: EntityManager): Promise<Begun[]> {
    const earlier = placed.filter(({ isNew }) => !isNew).map(({ id }) => id);
    if (earlier.length === 0) return [];
    await transaction.query(statements.holdWaiting, [earlier]);
    return transaction.query(statements.begun, [earlier]);
  }

  private async settle(claims: readonly Claim[], failure: Failure | NoFailure): Promise<Progress[]> {
    const all = claims.map(({ operation: { id, orderingKey }, token }) => ({ id, orderingKey, token }));
    const settings = [failure.retryInMs, ...wordsOf(failure), failure.isFree];
    return (await this.end(all, { statement: statements.settle, settings, ifDead: failure })).progress;
  }

  /** Ends claims without success. @returns what became of those that were still held so, and of the operations whose items they did */
  private async end(
    all: readonly Unsuccessful[],
    how: { statement: string; settings: readonly unknown[]; ifDead: OperationError | NoFailure },
  ): Promise<{ settled: Map<string, OperationStatus>; progress: Progress[] }> {
    return this.inTransaction(async (transaction) => {
      await transaction.query(lockKeys, [all.map(({ orderingKey }) => orderingKey)]);
      const settled = await transaction.query<{ id: string; status: OperationStatus; newer: string | null }[]>(
        how.statement,
        [all.map(({ id }) => id), all.map(({ token }) => token), ...how.settings],
      );
      // Operations are locked before items, by everybody.
      const dead = settled.filter(({ status }) => status === 'dead').map(({ id }) => id);
      const progress = dead.length > 0 ? await this.endItems(dead, 'failed', how.ifDead, transaction) : [];
      const replaced = settled.filter(({ newer }) => newer !== null);
      if (replaced.length > 0)
        await transaction.query(statements.handItems, [replaced.map(({ id }) => id), replaced.map(({ newer }) => newer)]);
      return { settled: new Map(settled.map(({ id, status }) => [id, status])), progress };
    });
  }

  private endItems(
    byOperations: readonly string[],
    status: 'completed' | 'failed' | 'cancelled',
    error: { code: string | null; message: string | null },
    transaction: EntityManager,
  ): Promise<Progress[]> {
    return transaction.query(statements.endItems, [byOperations, status, error.code, error.message]);
  }
}

/** A claim, or only the band that keeps an operation waiting. */
type ClaimedRow = Record<string, unknown> & { kept_band: string | null };

/** Why a band is paused that has begun as many operations as it may in a minute. */
const minuteSpent = {
  code: 'band_limit_reached',
  message: 'The band has begun the %s operations of this minute.',
};

interface Begun {
  ids: string[];
  status: Exclude<OperationStatus, 'pending' | 'failed'>;
  code: string | null;
  message: string | null;
}

const workerLost: OperationError = {
  code: 'worker_lost',
  message: 'The server that worked on it went away.',
  remedy: 'Nothing needs to be done: it runs again by itself.',
};
const lostTooOften: OperationError = {
  code: 'lost_too_often',
  message: 'The servers that worked on it went away, one after the other.',
  remedy: 'Look at the log of the servers before you try it again: it may be what ends them.',
};
const cancelled = { code: 'cancelled', message: 'Somebody cancelled it.' };

/** This worker's lease ran out, and another one has the operation, or it was cancelled. Nothing it did has taken effect. */
export class LeaseLost extends Error {
  constructor(operationId: string) {
    super(`Operation ${operationId} is in other hands by now`);
    this.name = 'LeaseLost';
  }
}

/** As the statements take it. */
const wordsOf = ({ code, message, remedy }: OperationError | NoFailure): (string | null)[] => [code, message, remedy];

function camelCased(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}
