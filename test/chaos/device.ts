import type { Random } from './random.js';
import type { Line, Servers } from './line.js';
import type { Ids, Story } from './story.js';

/** What the devices of a process share. */
export interface World {
  servers: Servers;
  random: Random;
  ids: Ids;
  counts: { deliveries: number; lostStores: number };
  /** Something a server must never do, in words. */
  fault(what: string): void;
  /** This one may have come further. */
  advanced(device: Device): void;
}

export interface Device {
  readonly name: string;
  readonly line: Line;
  readonly isOpen: boolean;
  connect(): void;
  /** Is slow, stubborn or forgetful for a while. */
  misbehave(): void;
  /** Stops that: from now on it wants everything, at once. */
  behave(): void;
  /** Channels that have not come to these heads, in words. */
  missing(heads: Record<string, number>): string[];
  /** One for each channel and life; rows and positions as they are now. */
  stories(): Story[];
}
