import { ChartWorker, type ChartParse } from './chart-worker.js';

/** Several times as much as a song has; whatever is in it, the parser is through with it within a second or so. */
const usualCharacters = 32 * 1024;

/**
 * Charts of the usual size are read on one thread, and what is larger on another: only that can hold the parser up for long, and
 * so none that a musician waits for stands behind it.
 */
export class ChartLanes {
  private readonly usual: ChartWorker;
  private readonly large: ChartWorker;

  /** @param timeLimitMs for one text, from its turn on */
  constructor(timeLimitMs: number) {
    this.usual = new ChartWorker(timeLimitMs);
    this.large = new ChartWorker(timeLimitMs);
  }

  /** Never rejects: what goes wrong in a thread is an outcome. */
  parse(text: string): Promise<ChartParse> {
    return (text.length > usualCharacters ? this.large : this.usual).parse(text);
  }

  /** Stops the threads; texts in work and those that wait end as `failed`. */
  async close(): Promise<void> {
    await Promise.all([this.usual.close(), this.large.close()]);
  }
}
