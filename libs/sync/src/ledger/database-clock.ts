/** Answers that are remembered: what a machine that stood still makes of one of them does not count. */
const mostSamples = 32;

/**
 * Says what the database's clock showed at a moment of this process's monotonic clock. Which of two connections of a device
 * is the later one is decided by that, though they are of two processes. An age alone will not do: from the moment at which
 * it is computed until the database reads its own clock may take as long, on a busy machine, as a device takes to reconnect.
 *
 * Of what the database's clock is ahead, every answer tells a little less than the truth, by the time it took to arrive; so
 * the one that tells most is the best.
 */
export class DatabaseClock {
  private readonly samples: number[] = [];

  get isSet(): boolean {
    return this.samples.length >= 4;
  }

  /** @param databaseMs what its clock showed when it answered @param receivedAt when the answer was there, on our clock */
  answered(databaseMs: number, receivedAt: number): void {
    this.samples.push(databaseMs - receivedAt);
    if (this.samples.length > mostSamples) this.samples.shift();
  }

  /** @returns milliseconds since 1970 */
  at(moment: number): number {
    return moment + Math.max(...this.samples);
  }
}
