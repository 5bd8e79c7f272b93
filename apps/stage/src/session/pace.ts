/**
 * Does something whenever it is asked for: at once, but never twice at a time, and with a rest after each. What is asked for
 * meanwhile is done once, after the rest.
 */
export class Pace {
  #isAsked = false;
  #isBusy = false;
  #isOver = false;

  /** @param act never rejects */
  constructor(
    private readonly act: () => Promise<void>,
    private readonly rest: () => Promise<void>,
  ) {}

  ask(): void {
    this.#isAsked = true;
    if (!this.#isBusy) void this.#work();
  }

  /** Nothing is begun after this. */
  stop(): void {
    this.#isOver = true;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#isAsked && !this.#isOver) {
      this.#isAsked = false;
      await this.act();
      await this.rest();
    }
    this.#isBusy = false;
  }
}
