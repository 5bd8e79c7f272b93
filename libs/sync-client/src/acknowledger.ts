import type { Pace } from '@soleil/sync-protocol';
import type { Clock } from './clock.js';

const defaultPace: Pace = { ackEveryMs: 100, ackEveryBytes: 64 * 1024 };

/**
 * Tells the server what is stored: cumulative, never backwards, at the pace the server asks for. Only what a store has
 * committed comes here, so an acknowledgement is worth what it says.
 */
export class Acknowledger {
  #pace = defaultPace;
  #bytes = 0;
  #cancelTimer: (() => void) | null = null;
  readonly #due = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly send: (channel: string, offset: number) => void,
  ) {}

  /** As the server wants it; until it says something, every 100 ms or 64 KiB. */
  setPace(pace: Pace): void {
    this.#pace = pace;
  }

  /** @param bytes of the frame that brought the channel to `offset` */
  committed(channel: string, offset: number, bytes: number): void {
    this.#due.set(channel, offset);
    this.#bytes += bytes;
    if (this.#bytes >= this.#pace.ackEveryBytes || this.#pace.ackEveryMs === 0) this.flush();
    else this.#cancelTimer ??= this.clock.after(this.#pace.ackEveryMs, () => this.flush());
  }

  /** Sends what is due now. */
  flush(): void {
    this.#stopTimer();
    const due = [...this.#due];
    this.#due.clear();
    for (const [channel, offset] of due) this.send(channel, offset);
  }

  /** What was due for this channel no longer is: its subscription ended, or its history began anew. */
  drop(channel: string): void {
    this.#due.delete(channel);
  }

  /** Nothing is due any more: the connection ended, and the next one starts from the stored positions. */
  dropAll(): void {
    this.#stopTimer();
    this.#due.clear();
    this.#pace = defaultPace;
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#bytes = 0;
  }
}
