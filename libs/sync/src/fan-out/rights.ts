import type { LogReader } from '../log/log-reader.js';

/** Where the channel stands on this node. */
export interface Standing {
  /** False while it is not known. */
  readonly isOpen: boolean;
  readonly head: number;
  /** Another number whenever what was known is forgotten. */
  readonly founding: number;
}

/** Users' rights to one channel, as far as this node has come in its log: where they ended, and whether a change is on its way. */
export class Rights {
  /** Whose right has ended, and at which offset it did last. */
  private ended = new Map<string, number>();
  /** How many are to be told when somebody's right is settled, … */
  private settling = 0;
  /** … and who of them waits for a change that is on its way here. */
  private expectant: (() => void)[] = [];

  constructor(
    private readonly channel: string,
    private readonly log: LogReader,
    private readonly hub: Standing,
  ) {}

  /** Somebody is to be told when a right is settled. */
  get isAwaited(): boolean {
    return this.settling > 0;
  }

  /** At which offset a user's right to the channel ended last; 0: it never did, as far as the log goes back. */
  endedAt(userId: string): number {
    return this.ended.get(userId) ?? 0;
  }

  /**
   * Resolves when every change of the user's right to the channel that had committed by now was obeyed here. Whoever is known
   * to have a right is told nothing before that: where it begins is on its way, and what comes before is none of theirs.
   * Resolves as well when the hub is founded anew.
   */
  async settled(userId: string): Promise<void> {
    this.settling += 1;
    try {
      await this.settle(userId);
    } finally {
      this.settling -= 1;
    }
  }

  /** The log was read anew. */
  know(ended: Map<string, number>): void {
    this.ended = ended;
  }

  end(userId: string, offset: number): void {
    this.ended.set(userId, offset);
  }

  /** Something changed: who waits looks again. */
  wake(): void {
    for (const wake of this.expectant.splice(0)) wake();
  }

  private async settle(userId: string): Promise<void> {
    const { founding } = this.hub;
    while (this.hub.isOpen && founding === this.hub.founding) {
      const { head } = this.hub;
      if (!(await this.log.rightHasChanged({ channel: this.channel, userId, after: head }))) return;
      // It may have come with the answer; else it will, or once a poll is asked for again.
      if (this.endedAt(userId) <= head) await new Promise<void>((resolve) => this.expectant.push(resolve));
    }
  }
}
