import { monotonicMs } from '../monotonic.js';

/** What has something to tell, to many. */
export interface Teller {
  readonly hasUntold: boolean;
  /** Tells the same to so many more. @returns how many it told, and whether that was all of them */
  tell(most: number): { told: number; isDone: boolean };
}

/** How long a node rests from its rooms, of the time that it took to tell them. */
const restShare = 0.25;

/**
 * Divides what a node sends to its rooms into rounds. In each one, every room that has something to tell sends one frame, some sockets in
 * each turn of the event loop, so that acknowledgements and answers of the database get theirs in between. Then the node
 * rests from it for a while. What is published meanwhile shares the next frame: the busier a node, the more messages share one.
 * In a quiet moment a message is told at once.
 */
export class Turns {
  private readonly waiting = new Set<Teller>();
  private round: Teller[] = [];
  /** Nothing is told, and nothing waits for being told. */
  isIdle = true;
  /** Time that this round took so far, without what came in between. */
  private busyMs = 0;

  /** @param perTurn sockets that are written to in one turn of the event loop */
  constructor(private readonly perTurn: number) {}

  /** Tells what there is: at once, or in the next round. */
  add(teller: Teller): void {
    this.waiting.add(teller);
    if (this.isIdle) this.begin();
  }

  private begin(): void {
    this.isIdle = this.waiting.size === 0;
    if (this.isIdle) return;
    this.round = [...this.waiting];
    this.waiting.clear();
    this.busyMs = 0;
    this.tell();
  }

  private tell(): void {
    const began = monotonicMs();
    try {
      for (let left = this.perTurn; left > 0 && this.round.length > 0;) left -= this.tellOne(left);
    } finally {
      // One that fails is left out, and holds up nobody.
      this.busyMs += monotonicMs() - began;
      if (this.round.length > 0) setImmediate(() => this.tell());
      else this.rest();
    }
  }

  private tellOne(most: number): number {
    const teller = this.round.shift()!;
    if (!teller.hasUntold) return 0;
    const { told, isDone } = teller.tell(most);
    if (!isDone) this.round.unshift(teller);
    else if (teller.hasUntold) this.waiting.add(teller);
    return told;
  }

  private rest(): void {
    const ms = this.busyMs * restShare;
    if (ms < 1) setImmediate(() => this.begin());
    else setTimeout(() => this.begin(), ms);
  }
}
