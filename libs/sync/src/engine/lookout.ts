import type { NodeLink } from '../log/node-link.js';
import { Wake } from '../log/wake.js';
import { monotonicMs } from '../monotonic.js';
import type { Turn } from './slots.js';

/** Knows when a look at the queue may find something, and lets a process that has nothing to do wait until then. */
export class Lookout {
  private readonly wakeUp = new Wake();
  /** Something may be due that the last claim could not find: … */
  private isNews = true;
  /** … a new operation, or one whose file was being worked on. */
  private hasCompleted = false;
  /** The last claim found as many as it asked for. */
  private isMore = false;
  private claimedAt = -Infinity;
  /** This process claims. */
  private isOpen = false;
  /** There are new operations that no claim has looked for yet, … */
  private isNew = false;
  /** … or that the present one looks for. */
  private isForNew = false;

  constructor(
    private readonly link: NodeLink,
    private readonly pollMs: number,
  ) {
    link.onNews((news) => {
      if (news.kind === 'queue') this.mayBeDue();
    });
    link.onReconnected(() => this.mayBeDue());
  }

  mayBeDue(): void {
    this.isNews = true;
    this.wakeUp.notify();
  }

  /** There are new operations, or others that no claim has looked at. The other processes are told where this one does not take them all. */
  hasNew(): void {
    if (this.isOpen) this.isNew = true;
    else this.tellOthers();
    this.mayBeDue();
  }

  open(): void {
    this.isOpen = true;
  }

  close(): void {
    this.isOpen = false;
    this.passOn();
  }

  /** Says to the other processes that something may be due. */
  tellOthers(): void {
    this.link.tell({ kind: 'queue' });
  }

  /** An operation of this process is completed: what waits under its key is due, for the others where this one claims no more. */
  completed(): void {
    this.hasCompleted = true;
    if (!this.isOpen) this.tellOthers();
    this.wakeUp.notify();
  }

  /** There is room for more. That is no news where the last claim found fewer than it asked for. */
  hasRoom(): void {
    this.wakeUp.notify();
  }

  /** Whether a claim may find something. @param ahead how many may be claimed before there is a place for them */
  isWorthwhile({ from }: Turn, ahead: number): boolean {
    if (this.isNews || monotonicMs() - this.claimedAt >= this.pollMs) return true;
    const isUrgentOnly = from.length === 1;
    return isUrgentOnly ? this.hasCompleted && ahead === 0 : this.isMore || this.hasCompleted;
  }

  /** A claim is about to look: what comes from here on is news. */
  looks(): void {
    this.isForNew ||= this.isNew;
    this.isNews = this.hasCompleted = this.isNew = false;
    this.claimedAt = monotonicMs();
  }

  found(many: number, { from, limit }: Turn): void {
    this.isMore = many > 0 && many >= limit;
    if (this.isForNew && (this.isMore || from.length === 1)) this.tellOthers();
    this.isForNew = false;
  }

  /** Nothing is claimed now: what is new is for others. */
  passOn(): void {
    if (this.isNew || this.isForNew) this.tellOthers();
    this.isNew = this.isForNew = false;
  }

  /** Resolves when it may be worthwhile again, or the next poll is due. */
  async wait(): Promise<void> {
    await this.wakeUp.wait(this.pollMs);
  }
}
