import { setMaxListeners } from 'node:events';
import { setTimeout as timer } from 'node:timers/promises';

/** Ends all pauses at once, when what they belong to is stopped. */
export class Stop {
  private readonly controller = new AbortController();

  constructor() {
    setMaxListeners(0, this.controller.signal);
  }

  /** Aborts when this is stopped. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get stopped(): boolean {
    return this.controller.signal.aborted;
  }

  /** @param reason what whoever waits on {@link signal} fails with */
  now(reason?: Error): void {
    this.controller.abort(reason);
  }

  /** Resolves after `ms`, or at once when this is stopped. */
  async pause(ms: number): Promise<void> {
    try {
      await timer(ms, undefined, { signal: this.controller.signal });
    } catch (error) {
      if (!this.stopped) throw error;
    }
  }
}

/** Lets everybody through once it is opened. */
export class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

const firstBackoffMs = 100;
const longestBackoffMs = 5_000;

/** How long to wait after so many failures in a row: doubling, five seconds at most. */
export function backoffMs(failures: number): number {
  return Math.min(firstBackoffMs * 2 ** Math.max(failures - 1, 0), longestBackoffMs);
}
