/** A wake-up that is never lost: one that comes while nobody waits ends the next wait at once. */
export class Wake {
  private pending = false;
  private resolve: (() => void) | null = null;

  notify(): void {
    if (this.resolve) this.resolve();
    else this.pending = true;
  }

  /** Resolves at the next {@link notify}, or after `ms`. One waiter at a time. */
  async wait(ms: number): Promise<void> {
    if (!this.pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.resolve = null;
    this.pending = false;
  }
}
