import { signalName, type Signalled } from '@soleil/sync-protocol';

/** Signals that wait for one socket, at most. Beyond that the oldest is dropped. */
const mostWaiting = 256;

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
  private readonly waiting = new Map<string, Signalled>();

  constructor(private readonly line: SignalLine) {}

  send(frame: Signalled): void {
    const name = signalName(frame);
    if (this.waiting.size === 0 && this.line.isFree) return this.line.sendSignal(frame);
    // The newest stand last.
    this.waiting.delete(name);
    this.waiting.set(name, frame);
    if (this.waiting.size > mostWaiting) this.waiting.delete(this.waiting.keys().next().value!);
  }

  /** The line may be free again. */
  flush(): void {
    for (const [name, frame] of this.waiting) {
      if (!this.line.isFree) return;
      this.waiting.delete(name);
      this.line.sendSignal(frame);
    }
  }

  /** The socket does not follow the channel any more. */
  forget(channel: string): void {
    for (const [name, frame] of this.waiting) if (frame.channel === channel) this.waiting.delete(name);
  }
}
