/** Lets so many bytes of files be held at once; who wants more waits, in the order of the asks. A file larger than all of it goes alone. */
export class ByteBudget {
  private readonly waiting: { bytes: number; go: () => void }[] = [];
  private held = 0;

  constructor(private readonly limit: number) {}

  async run<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((go) => {
      this.waiting.push({ bytes, go });
      this.admit();
    });
    try {
      return await work();
    } finally {
      this.held -= bytes;
      this.admit();
    }
  }

  private admit(): void {
    for (;;) {
      const next = this.waiting[0];
      if (!next || (this.held > 0 && this.held + next.bytes > this.limit)) return;
      this.waiting.shift();
      this.held += next.bytes;
      next.go();
    }
  }
}
