import { signalName, type Signalled } from '@soleil/sync-protocol';

/** What waits for its turn this long is delivered without one: the database is away. */
const patienceMs = 1_000;

/** Tells every node, this one too, after all news of what had committed before. A connection that fails at it is given up. */
export type Dispatch = (batch: number, signals: readonly Signalled[]) => Promise<void>;

interface Letter {
  signal: Signalled;
  deliver: () => void;
}

/**
 * The signals that this node sends. A signal is in no log, and yet nobody may get one that was sent after their right to the
 * channel had ended. So it goes the way that the news of an ended right goes, whose order Postgres keeps for all nodes, and
 * is delivered when it comes back, to this node's devices as well. While earlier ones are on their way, the latest of each
 * name waits.
 *
 * Where Postgres does not answer, no right can end either: signals are delivered to this node's devices then, at once.
 */
export class SignalPost {
  private readonly waiting = new Map<string, Letter>();
  private readonly underWay = new Map<number, readonly Letter[]>();
  private dispatch: Dispatch | null = null;
  private batches = 0;
  private isCutOff = false;
  private running: Promise<void> | null = null;
  private patience: NodeJS.Timeout | null = null;

  /** @param mostBytes of the JSON of the signals in one batch, but for a single one that is larger */
  constructor(private readonly mostBytes: number) {}

  /** @param deliver called once, unless a later signal of the same name takes its place */
  send(signal: Signalled, deliver: () => void): void {
    if (this.isCutOff) return deliver();
    this.waiting.set(signalName(signal), { signal, deliver });
    this.beginWaiting();
    this.go();
  }

  /** There is a connection, and this node has taken notice of what it may have missed. */
  opened(dispatch: Dispatch): void {
    this.dispatch = dispatch;
    this.isCutOff = false;
    this.go();
  }

  /** There is none, and what is on its way may be lost with it. */
  closed(): void {
    this.dispatch = null;
    const lost = [...this.underWay.values()].flat();
    this.underWay.clear();
    const newer = [...this.waiting];
    this.waiting.clear();
    for (const letter of lost) this.waiting.set(signalName(letter.signal), letter);
    for (const [name, letter] of newer) this.waiting.set(name, letter);
    this.beginWaiting();
  }

  /** Nobody can be told. */
  cutOff(): void {
    this.isCutOff = true;
    this.calm();
    const letters = [...[...this.underWay.values()].flat(), ...this.waiting.values()];
    this.underWay.clear();
    this.waiting.clear();
    for (const { deliver } of letters) deliver();
  }

  /** All that had committed before this batch was told is known here. */
  cameBack(batch: number): void {
    const letters = this.underWay.get(batch);
    this.underWay.delete(batch);
    for (const { deliver } of letters ?? []) deliver();
  }

  async stop(): Promise<void> {
    this.calm();
    this.waiting.clear();
    await this.running;
  }

  private go(): void {
    this.running ??= this.run();
  }

  private async run(): Promise<void> {
    // What is signalled in the same turn goes together.
    await Promise.resolve();
    while (this.dispatch && this.waiting.size > 0) await this.sendBatch(this.dispatch);
    this.running = null;
  }

  private async sendBatch(dispatch: Dispatch): Promise<void> {
    const letters = this.take();
    const batch = ++this.batches;
    this.underWay.set(batch, letters);
    try {
      await dispatch(
        batch,
        letters.map(({ signal }) => signal),
      );
      this.isCutOff = false;
      this.calm();
      this.beginWaiting();
    } catch {
      if (this.dispatch === dispatch) this.closed();
    }
  }

  private beginWaiting(): void {
    if (this.waiting.size > 0) this.patience ??= setTimeout(() => this.cutOff(), patienceMs);
  }

  private calm(): void {
    if (this.patience) clearTimeout(this.patience);
    this.patience = null;
  }

  /** As many as fit, at least one. */
  private take(): Letter[] {
    const taken: Letter[] = [];
    let bytes = 0;
    for (const [name, letter] of this.waiting) {
      bytes += Buffer.byteLength(JSON.stringify(letter.signal)) + 1;
      if (taken.length > 0 && bytes > this.mostBytes) break;
      this.waiting.delete(name);
      taken.push(letter);
    }
    return taken;
  }
}
