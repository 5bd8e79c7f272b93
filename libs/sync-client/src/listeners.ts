/** Those who want to be told. One that throws keeps nobody else from being told, and its error reaches the global handler. */
export class Listeners<Told extends unknown[] = []> {
  readonly #all = new Set<(...told: Told) => void>();

  /** @returns what ends it; each call of `add` stands for itself, even with the same function */
  add(listener: (...told: Told) => void): () => void {
    const own = (...told: Told) => listener(...told);
    this.#all.add(own);
    return () => this.#all.delete(own);
  }

  tell(...told: Told): void {
    for (const listener of [...this.#all]) {
      try {
        listener(...told);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
