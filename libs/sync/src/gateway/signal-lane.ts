import type { Signalled } from '@soleil/sync-protocol';
import type { WeighedSignal } from '../fan-out/weighed-signal.js';

/** What a signal that waits costs beside its JSON. */
const entryBytes = 200;

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
  private readonly waiting = new Map<string, WeighedSignal>();
  private bytes = 0;

  /** @param mostBytes that wait, but for a single signal that is larger; beyond it the oldest are dropped */
  constructor(
    private readonly line: SignalLine,
    private readonly mostBytes: number,
  ) {}

  send(weighed: WeighedSignal): void {
    if (this.waiting.size === 0 && this.line.isFree) return this.line.sendSignal(weighed.frame);
    // The newest stand last.
    this.drop(weighed.name);
    this.waiting.set(weighed.name, weighed);
    this.bytes += entryBytes + weighed.bytes;
    for (const name of this.waiting.keys()) {
      if (this.bytes <= this.mostBytes || this.waiting.size === 1) return;
      this.drop(name);
    }
  }

  /** The line may be free again. */
  flush(): void {
    for (const [name, { frame }] of this.waiting) {
      if (!this.line.isFree) return;
      this.drop(name);
      this.line.sendSignal(frame);
    }
  }

  /** The socket does not follow the channel any more. */
  forget(channel: string): void {
    for (const [name, { frame }] of this.waiting) if (frame.channel === channel) this.drop(name);
  }

  private drop(name: string): void {
    const weighed = this.waiting.get(name);
    if (!weighed) return;
    this.waiting.delete(name);
    this.bytes -= entryBytes + weighed.bytes;
  }
}
