/** What faults come down to. A run that has not met each of them has not shown what it is for. */
export const kinds = [
  'SIGKILL of a server',
  'SIGSTOP of a server',
  'cut between a server and PostgreSQL',
  'immediate stop of PostgreSQL',
] as const;

export type Kind = (typeof kinds)[number];

/** How often each kind really happened. */
export class Tally {
  private readonly counts = new Map<Kind, number>(kinds.map((kind) => [kind, 0]));

  /** @param happened false for what was tried in vain: on a process, say, that had ended by itself */
  count(kind: Kind, happened: boolean): void {
    if (happened) this.counts.set(kind, this.counts.get(kind)! + 1);
  }

  get missing(): Kind[] {
    return kinds.filter((kind) => this.counts.get(kind) === 0);
  }

  toString(): string {
    return [...this.counts].map(([kind, count]) => `${count} × ${kind}`).join(', ');
  }
}
