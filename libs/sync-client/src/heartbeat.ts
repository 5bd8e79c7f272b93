import type { Clock, Timings } from './clock.js';

/**
 * Notices a line that is dead without having been closed. While somebody looks, a connection that has been quiet for
 * `pingEveryMs` is probed; one that stays quiet for another `silenceMs` is given up. Whatever arrives is a sign of life,
 * so a busy connection is never probed.
 */
export class Heartbeat {
  #lastHeardAt = 0;
  #probedAt: number | null = null;
  #cancel: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly timings: Pick<Timings, 'pingEveryMs' | 'silenceMs'>,
    private readonly handlers: { isVisible(): boolean; probe(): void; giveUp(): void },
  ) {}

  /** When the server last gave a sign of life, milliseconds. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** Probes at once, which also measures the latency, and goes on. */
  start(): void {
    this.heard();
    this.probe();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#probedAt = null;
  }

  heard(): void {
    this.#lastHeardAt = this.clock.now();
    // The timer stays: it finds out when it comes. A timer per frame would cost more than it tells.
    this.#probedAt = null;
  }

  /** Asks for a sign of life now, whoever is looking. */
  probe(): void {
    this.#probedAt = this.clock.now();
    this.handlers.probe();
    this.#wakeAfter(this.timings.silenceMs);
  }

  #wakeAfter(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.clock.after(delayMs, () => this.#wake());
  }

  #wake(): void {
    const now = this.clock.now();
    if (this.#probedAt !== null) {
      // A timer this late means that the device slept: what has arrived meanwhile was not read yet. Ask again.
      const slept = now - this.#probedAt >= 2 * this.timings.silenceMs;
      return slept ? this.probe() : this.handlers.giveUp();
    }
    const quietMs = now - this.#lastHeardAt;
    if (quietMs < this.timings.pingEveryMs) return this.#wakeAfter(this.timings.pingEveryMs - quietMs);
    if (this.handlers.isVisible()) return this.probe();
    this.#wakeAfter(this.timings.pingEveryMs);
  }
}
