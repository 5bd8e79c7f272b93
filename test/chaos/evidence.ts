import type { RecordLine } from './record.js';
import type { Stories } from './story.js';

/** A message as the log has it. */
export interface LogMessage {
  channel: string;
  offset: number;
  id: string;
  /** Its publisher's number; null for what none of ours published. */
  n: number | null;
  key: string | null;
  gone: boolean;
}

/** All that is known at the end, from three sides that know nothing of each other. */
export interface Evidence {
  /** Of each publisher, in its order. */
  records: readonly (readonly RecordLine[])[];
  /** Ascending by offset within each channel. */
  log: readonly LogMessage[];
  devices: readonly Stories[];
}

/** Violations of one kind: all are counted, the first are described. */
export class Findings {
  count = 0;
  readonly examples: string[] = [];

  add(example: string): void {
    this.count += 1;
    if (this.examples.length < 20) this.examples.push(example);
  }
}

/** What must not be found. */
export class Verdict {
  /** Committed, and a device that was to have it does not. */
  readonly lost = new Findings();
  /** Told twice to an application within the life of a store, or in the log twice. */
  readonly twice = new Findings();
  /** Another order than another device, the log or the publishers have. */
  readonly disordered = new Findings();
  /** Told though rolled back, unknown, or with another content. */
  readonly invented = new Findings();
  /** Rows that are not what the messages make of them. */
  readonly wrongRows = new Findings();
  /** Receipts that are missing, or for what was never acknowledged. */
  readonly wrongReceipts = new Findings();
  /** What the protocol forbids. */
  readonly faults = new Findings();

  get isClean(): boolean {
    return this.kinds.every(([, { count }]) => count === 0);
  }

  get kinds(): [string, Findings][] {
    return Object.entries(this).filter((entry): entry is [string, Findings] => entry[1] instanceof Findings);
  }
}
