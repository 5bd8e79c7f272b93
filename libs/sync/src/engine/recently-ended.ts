const spanMs = 50;

/** Counts what ended within the fifty milliseconds before these: a rate, without a list of times. */
export class RecentlyEnded {
  private span = -Infinity;
  private current = 0;
  private previous = 0;

  constructor(private readonly now: () => number) {}

  add(): void {
    this.pass();
    this.current += 1;
  }

  get count(): number {
    this.pass();
    return this.previous;
  }

  private pass(): void {
    const span = Math.floor(this.now() / spanMs);
    if (span === this.span) return;
    this.previous = span === this.span + 1 ? this.current : 0;
    this.current = 0;
    this.span = span;
  }
}
