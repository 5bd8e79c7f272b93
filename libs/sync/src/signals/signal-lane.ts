import type { Signalled } from '@soleil/sync-protocol';
import { Latest } from './latest.js';
import type { WeighedSignal } from './weighed-signal.js';

/** What a lane needs of its socket. */
export interface SignalLine {
  /** What is sent now leaves at once. */
  readonly isFree: boolean;
  sendSignal(frame: Signalled): void;
}

/**
 * One socket's signals. While its line is taken they wait, the latest of each name only: a slow device costs their number
 * and not their rate, and then gets what counts. They do not wait for what is durable: at most one window of it, sent and
 * not yet acknowledged, is ahead of them.
 */
export class SignalLane {
  private readonly waiting: Latest<WeighedSignal>;

  /** @param mostBytes that wait */
  constructor(
    private readonly line: SignalLine,
    mostBytes: number,
  ) {
    this.waiting = new Latest(mostBytes);
  }

  send(signal: WeighedSignal): void {
    if (this.waiting.size === 0 && this.line.isFree) this.line.sendSignal(signal.frame);
    else this.waiting.put(signal);
  }

  /** The line may be free again. */
  flush(): void {
    for (const { name, frame } of this.waiting) {
      if (!this.line.isFree) return;
      this.waiting.drop(name);
      this.line.sendSignal(frame);
    }
  }

  /** The socket does not follow the channel any more. */
  forget(channel: string): void {
    for (const { name, frame } of this.waiting) if (frame.channel === channel) this.waiting.drop(name);
  }
}
