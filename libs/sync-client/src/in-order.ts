/** Runs tasks in the order of their coming, though some must wait for something first; at once, while none waits. */
export class InOrder {
  #last: Promise<void> | null = null;

  run(task: () => void): void {
    if (this.#last === null) task();
    else this.#follow(this.#last.then(task));
  }

  /** @param task gets what `awaited` resolves to; `failed` runs in its place when that rejects, or when the task throws */
  runAfter<T>(awaited: Promise<T>, task: (result: T) => void, failed: () => void): void {
    // What it comes to is known before its turn; a rejection must not be left unhandled until then.
    const outcome = awaited.then(
      (result) => () => task(result),
      () => failed,
    );
    this.#follow(
      Promise.all([outcome, this.#last])
        .then(([act]) => act())
        .catch(failed),
    );
  }

  #follow(next: Promise<void>): void {
    this.#last = next;
    void next.finally(() => {
      if (this.#last === next) this.#last = null;
    });
  }
}
