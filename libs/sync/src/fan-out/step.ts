import type { Extent, Outline } from '../log/log-reader.js';

/**
 * A reader's way to `upTo` by the latest of each key. What it will get is decided once, as a list of offsets, because the log
 * finds these by key and sends them by offset; a device applies all of it as one step. The list is shared by readers that
 * begin alike, and costs eight bytes a message.
 */
export class Step {
  private found: Outline | null = null;

  /** @param after the reader's cursor at the beginning, 0 for one that has nothing */
  constructor(
    readonly extent: Extent,
    readonly after: number,
    readonly upTo: number,
  ) {}

  /** What begins and ends alike is the same way. */
  get name(): string {
    return `${this.extent}:${this.after}:${this.upTo}`;
  }

  /** @param read gives all offsets of the step; asked until it answered once */
  async outline(read: () => Promise<Outline>): Promise<Outline> {
    return (this.found ??= await read());
  }
}

/** The offset below which retention may take nothing away from a reader that stands at `cursor`. */
export const needsFrom = (cursor: number, step: Step | null): number => (step?.extent === 'state' ? step.upTo : cursor);
