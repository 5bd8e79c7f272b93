import type { OperationStatus, SyncOperation } from '../entities/sync-operation.js';
import { mostAtOnce } from './intake.js';
import type { Progress } from './items.js';
import * as statements from './loss-statements.js';
import type { QueueDatabase } from './queue-database.js';
import { settle, wordsOf, type OperationError, type Unsuccessful } from './settlements.js';

/** Whose process is gone. */
type LostFrom = Pick<SyncOperation, 'id' | 'kind' | 'bandId' | 'fileId'>;

/** An operation whose process was lost, and what is said of that. */
export interface LostOperation extends LostFrom, Pick<OperationError, 'code' | 'message'> {
  /** It was lost too often, and is not tried again. */
  isDead: boolean;
}

/** What becomes of claims whose holders are gone. */
export class Losses {
  /** @param worker the number of this process */
  constructor(
    private readonly database: QueueDatabase,
    private readonly worker: number,
  ) {}

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
    const found = await this.database.query<Unsuccessful & LostFrom>(statements.lost, [this.worker, mostAtOnce]);
    if (found.length === 0) return { lost: [], progress: [] };
    const settings = [most, backoffMs, ...wordsOf(workerLost), ...wordsOf(lostTooOften)];
    const how = { statement: statements.settleLost, settings, ifDead: lostTooOften };
    const settled = new Map<string, OperationStatus>();
    const progress: Progress[] = [];
    // With one that dies, those are locked whose item it was; what has items must not be locked by then.
    for (const hasItems of [false, true]) {
      const some = found.filter(({ kind }) => (kind === 'band') === hasItems);
      if (some.length === 0) continue;
      const ended = await settle(this.database, some, how);
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
