import { Logger } from '@nestjs/common';
import { monotonicMs } from '../monotonic.js';

/** What has something to tell, to many. */
export interface Teller {
  readonly hasUntold: boolean;
  /**
   * Tells the same to so many more. One that could not be told is past, whatever is thrown.
   * @returns how many it told, and whether that was all of them
   */
  tell(most: number): { told: number; isDone: boolean };
}

/** How long a node rests from its rooms, of the time that it took to tell them. */
const restShare = 0.25;
/** A turn ends after this time, too: of many small rooms each has a frame of its own to be made. */
const turnMs = 20;

/**
 * Divides what a node sends to its rooms into rounds. In each one, every room that has something to tell sends one frame, some sockets in
 * each turn of the event loop, so that acknowledgements and answers of the database get theirs in between. Then the node
 * rests from it for a while. What is published meanwhile shares the next frame: the busier a node, the more messages share one.
 * In a quiet moment a message is told at once.
 */
export class Turns {
  private readonly logger = new Logger('Rooms');
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
    let left = this.perTurn;
    while (left > 0 && this.round.length > 0 && monotonicMs() - began < turnMs) left -= this.tellOne(left);
    this.busyMs += monotonicMs() - began;
    if (this.round.length > 0) setImmediate(() => this.tell());
    else this.rest();
  }

  private tellOne(most: number): number {
    const teller = this.round[0]!;
    const { told, isDone } = this.toldBy(teller, most);
    if (!isDone) return told;
    this.round.shift();
    if (teller.hasUntold) this.waiting.add(teller);
    return told;
  }

  /** Who cannot be told holds up nobody, and its device notices the gap. */
  private toldBy(teller: Teller, most: number): ReturnType<Teller['tell']> {
    if (!teller.hasUntold) return { told: 0, isDone: true };
    try {
      return teller.tell(most);
    } catch (error) {
      this.logger.error(`A device could not be told: ${(error as Error).message}`);
      return { told: 1, isDone: false };
    }
  }

  private rest(): void {
    const ms = this.busyMs * restShare;
    if (ms < 1) setImmediate(() => this.begin());
    else setTimeout(() => this.begin(), ms);
  }
}
