import { priorities, type Priority } from '../entities/sync-operation.js';
import { RecentlyEnded } from './recently-ended.js';

const all: readonly Priority[] = ['critical', 'high', 'normal', 'low'];
/** Of so many claims one goes to the operation that has been due for longest, so that nothing waits for ever. */
const oldestOneIn = 20;
/** Claimed ahead at most. */
const mostAhead = 100;

/** What is to be claimed next. */
export interface Turn {
  /** By priority, so many of these. */
  from: readonly Priority[];
  limit: number;
  /** Beside these, so many that have been due for longest, whatever their priority. */
  oldest: number;
}

interface Waiting {
  priority: number;
  begin(): void;
}

/**
 * Which operations a process takes on: as many at once as it has workers, by priority, and one critical one more, which so never
 * waits for others to end. Every twentieth is the oldest there is.
 *
 * It claims ahead as many as it was through with within the last fifty milliseconds: what takes long is never claimed before there is a
 * place for it, and of what takes nothing many are claimed by one statement. They begin by priority, too.
 */
export class Slots {
  /** Claimed, and not through with their asking. */
  private readonly held = { critical: 0, other: 0 };
  /** Of these, those that have begun. */
  private readonly begun = { critical: 0, other: 0 };
  /** The others: the most urgent first, then in the order in which they were claimed. */
  private readonly line: Waiting[] = [];
  private readonly ended: RecentlyEnded;
  /** Since the oldest had its turn. */
  private claims = 0;

  constructor(
    private readonly workers: number,
    now: () => number,
  ) {
    this.ended = new RecentlyEnded(now);
  }

  /** Null: there is no room. What is claimed ahead is claimed in large steps. */
  get next(): Turn | null {
    const { critical, other } = this.held;
    const ahead = this.ahead;
    const room = this.workers + ahead + 1 - critical - other;
    if (room <= 0) return null;
    const ordinary = Math.min(this.workers + ahead - other, room);
    if (ordinary <= 0 || ordinary < ahead / 2) return { from: ['critical'], limit: room, oldest: 0 };
    const oldest = Math.floor((this.claims + ordinary) / oldestOneIn);
    return { from: all, limit: ordinary - oldest, oldest };
  }

  /** How many may be claimed before there is a place for them. */
  get ahead(): number {
    return Math.min(this.ended.count, mostAhead);
  }

  /** A turn has found so many. The oldest had theirs, whether or not there were any. */
  had({ oldest }: Turn, found: number): void {
    this.claims = Math.max(0, this.claims + found - oldest * oldestOneIn);
  }

  /** Counts an operation that was claimed, and resolves when it may begin, or `lost` says that it may not any more. */
  async take(priority: number, lost: AbortSignal): Promise<'begun' | 'lost'> {
    this.held[kindOf(priority)] += 1;
    if (lost.aborted) return this.drop(priority);
    if (this.isRoomFor(priority)) {
      this.begun[kindOf(priority)] += 1;
      return 'begun';
    }
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.line.splice(this.line.indexOf(waiting), 1);
        resolve(this.drop(priority));
      };
      const waiting: Waiting = {
        priority,
        begin: () => {
          lost.removeEventListener('abort', giveUp);
          resolve('begun');
        },
      };
      lost.addEventListener('abort', giveUp, { once: true });
      const place = this.line.findIndex((other) => other.priority > priority);
      this.line.splice(place < 0 ? this.line.length : place, 0, waiting);
    });
  }

  /** One that had begun is through with its asking, and leaves its place to the next. */
  free(priority: number): void {
    this.held[kindOf(priority)] -= 1;
    this.begun[kindOf(priority)] -= 1;
    this.ended.add();
    while (this.line[0] && this.isRoomFor(this.line[0].priority)) {
      const next = this.line.shift()!;
      this.begun[kindOf(next.priority)] += 1;
      next.begin();
    }
  }

  private isRoomFor(priority: number): boolean {
    const { critical, other } = this.begun;
    return critical + other <= this.workers && (kindOf(priority) === 'critical' || other < this.workers);
  }

  private drop(priority: number): 'lost' {
    this.held[kindOf(priority)] -= 1;
    return 'lost';
  }
}

const kindOf = (priority: number): 'critical' | 'other' => (priority === priorities.critical ? 'critical' : 'other');
