import { Wake } from './log/wake.js';

export interface RoundTimes {
  /** Before the first round. */
  firstMs: number;
  /** Between the end of a round and the next one. */
  everyMs: number;
}

/** Does something now and then, as long as the process lives. A round that fails is followed by the next. */
export class Rounds {
  private readonly wake = new Wake();
  private running: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly times: RoundTimes,
    private readonly round: () => Promise<void>,
    private readonly onFailed: (error: Error) => void,
  ) {}

  /** A long round looks at this between its pieces. */
  get isStopping(): boolean {
    return this.stopping;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Resolves when the round in flight has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.notify();
    await this.running;
  }

  private async run(): Promise<void> {
    let waitMs = this.times.firstMs;
    for (;;) {
      if (waitMs > 0) await this.wake.wait(waitMs);
      if (this.stopping) return;
      await this.round().catch(this.onFailed);
      waitMs = this.times.everyMs;
    }
  }
}
