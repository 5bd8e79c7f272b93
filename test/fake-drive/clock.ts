/** Where the fake reads the time: quotas, tokens and notification channels run by it. Milliseconds since 1970. */
export interface Clock {
  now(): number;
}

/** Stands still until it is told to go on. */
export class ManualClock implements Clock {
  constructor(private ms = Date.UTC(2026, 10, 2, 19)) {}

  now(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}
