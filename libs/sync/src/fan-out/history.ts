import type { Position, Reset } from '@soleil/sync-protocol';
import type { ChannelState, EpochStart } from '../log/log-reader.js';

/** Why a position cannot be continued. */
export type PositionLoss = Reset['reason'];

/** Which offsets of a channel belong to which epoch. */
export class History {
  private epochs: EpochStart[];
  head: number;
  /** Positions below this have expired: something went since of which no trace is left. */
  prunedTo: number;

  constructor(state: ChannelState) {
    this.epochs = [...state.epochs];
    this.head = state.head;
    this.prunedTo = state.prunedTo;
  }

  /** The epoch of the head; empty for a channel without messages. */
  get epoch(): string {
    return this.epochs.at(-1)?.epoch ?? '';
  }

  advance(epoch: string, from: number, to: number): void {
    if (epoch !== this.epoch) this.epochs.push({ epoch, beganAt: from });
    this.head = to;
  }

  epochAt(offset: number): string {
    return (this.epochs.findLast(({ beganAt }) => beganAt <= offset) ?? this.epochs[0])?.epoch ?? '';
  }

  /** Whether another epoch than the one known here is at this offset, which a log that only grows cannot say. */
  contradicts({ epoch, offset }: Position): boolean {
    return offset > 0 && offset <= this.head && this.epochAt(offset) !== epoch;
  }

  /** Whether `later` is this history, grown. */
  isContinuedBy(later: History): boolean {
    return later.head >= this.head && (this.head === 0 || later.epochAt(this.head) === this.epoch);
  }

  /** @returns null when everything after `position` can be told */
  lossOf({ epoch, offset }: Position): PositionLoss | null {
    if (offset < this.prunedTo) return 'position_expired';
    if (offset === 0) return null;
    const index = this.epochs.findIndex((known) => known.epoch === epoch);
    if (index < 0) return 'epoch_unknown';
    const end = (this.epochs[index + 1]?.beganAt ?? this.head + 1) - 1;
    return offset > end ? 'position_ahead' : null;
  }
}
