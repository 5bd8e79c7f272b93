import type { Dispatch, InOrder } from '../log/node-link.js';
import { Letters, type Letter } from './letters.js';
import type { WeighedSignal } from './weighed-signal.js';

/** One notification holds so many bytes of signals, … */
const notificationBytes = 6_500;
/** … and one statement sends so many notifications. */
const notifications = 16;

/**
 * The signals that this node sends. A signal is in no log, and yet nobody may get one that was sent after their right to the
 * channel had ended. So it goes the way that the news of an ended right goes, whose order Postgres keeps for all nodes, and
 * is delivered when it comes back, to this node's devices as well. While earlier ones are on their way, the latest of each
 * name waits.
 *
 * Where Postgres is away no right can end, and signals go to this node's devices alone. That it is away is known of each
 * signal for itself: an attempt to connect that began after it was sent has failed. What was delivered so is told to the
 * others when Postgres is back, the latest of each name.
 */
export class SignalPost implements InOrder {
  private readonly waiting = new Letters();
  private readonly underWay = new Map<number, readonly Letter[]>();
  private dispatch: Dispatch | null = null;
  private attempts = 0;
  private batches = 0;
  private running: Promise<void> | null = null;

  /** @param reconnect called when something waits for a connection */
  constructor(private readonly reconnect: () => void) {}

  /** @param deliver called unless a later signal of the same name, or many of its channel, take its place */
  send(signal: WeighedSignal, deliver: () => void): void {
    this.waiting.put({ ...signal, deliver, attempts: this.attempts, isDelivered: false });
    if (this.dispatch) this.go();
    else this.reconnect();
  }

  attempting(): void {
    this.attempts += 1;
  }

  failed(): void {
    for (const letter of this.waiting) {
      if (letter.isDelivered || letter.attempts === this.attempts) continue;
      letter.isDelivered = true;
      letter.deliver();
    }
  }

  opened(dispatch: Dispatch): void {
    this.dispatch = dispatch;
    this.go();
  }

  /** What is on its way may be lost, or may not: it is told again, or what came after it. */
  closed(): void {
    this.dispatch = null;
    const newer = this.waiting.takeAll();
    for (const letter of [...[...this.underWay.values()].flat(), ...newer]) this.waiting.put(letter);
    this.underWay.clear();
  }

  /** Who has it already, of this node, gets it once more: in the end all have the latest, and the same. */
  cameBack(batch: number): void {
    const letters = this.underWay.get(batch);
    this.underWay.delete(batch);
    for (const { deliver } of letters ?? []) deliver();
  }

  private go(): void {
    this.running ??= this.run();
  }

  private async run(): Promise<void> {
    // What is signalled in the same turn goes together.
    await Promise.resolve();
    while (this.dispatch && !this.waiting.isEmpty) await this.sendBatch(this.dispatch);
    this.running = null;
  }

  /** A connection that fails at it is closed by then. */
  private async sendBatch(dispatch: Dispatch): Promise<void> {
    const parts: Letter[][] = [];
    while (parts.length < notifications && !this.waiting.isEmpty) parts.push(this.waiting.take(notificationBytes));
    const batch = (this.batches += 1);
    this.underWay.set(batch, parts.flat());
    await dispatch(
      batch,
      parts.map((letters) => letters.map(({ frame }) => frame)),
    ).catch(() => undefined);
  }
}
