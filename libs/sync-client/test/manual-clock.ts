import type { Clock } from '../src/clock.js';

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  #timers: { at: number; call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): () => void {
    const timer = { at: this.#now + delayMs, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Lets time pass, and calls what falls due on the way, in order. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = next.at;
      this.#call(next);
    }
    this.#now = end;
  }

  /** As a device that slept: all the time passes before anything is called. */
  sleep(ms: number): void {
    this.#now += ms;
    const late = this.#timers.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const timer of late) this.#call(timer);
  }

  #next(end: number) {
    return this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }

  #call(timer: { at: number; call: () => void }): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    timer.call();
  }
}
