import type { Priority } from '../entities/sync-operation.js';

const all: readonly Priority[] = ['critical', 'high', 'normal', 'low'];
/** Of so many claims one goes to the operation that has been due for longest, so that nothing waits for ever. */
const oldestOneIn = 20;

/** What is to be claimed next. */
export type Turn = { oldest: true } | { from: readonly Priority[]; limit: number };

/**
 * Which operations a process takes on: as many at once as it has workers, by priority, and one critical one more, which so never
 * waits for others to end. Every twentieth is the oldest there is.
 */
export class Slots {
  private readonly held = { critical: 0, other: 0 };
  /** Since the oldest had its turn. */
  private claims = 0;

  constructor(private readonly workers: number) {}

  /** Null: there is no room. */
  get next(): Turn | null {
    const { critical, other } = this.held;
    const room = this.workers + 1 - critical - other;
    if (room <= 0) return null;
    const ordinary = Math.min(this.workers - other, room);
    if (ordinary <= 0) return { from: ['critical'], limit: room };
    const left = oldestOneIn - this.claims;
    return left === 1 ? { oldest: true } : { from: all, limit: Math.min(ordinary, left - 1) };
  }

  /** The oldest has its turn, whether or not there is one. */
  oldestHasTurn(): void {
    this.claims = -1;
  }

  take(isCritical: boolean): void {
    this.held[isCritical ? 'critical' : 'other'] += 1;
    this.claims += 1;
  }

  free(isCritical: boolean): void {
    this.held[isCritical ? 'critical' : 'other'] -= 1;
  }
}
