import { randomUUID } from 'node:crypto';
import { SyncError } from '@soleil/sync-protocol';
import { databaseUnavailable } from '../log/database-away.js';

/** Who reported a file is told by then what became of it: a client does not wait for an answer for ever. */
const holdsWithinMs = 5_000;
/** Reports of one connection that wait to be stored, at most: more would be memory that a client fills as it likes. */
const mostReports = 20;

/** Who is connected, with which device. */
export interface DeviceIdentity {
  userId: string;
  deviceId: string;
  /** What others may call it; null: it did not say. */
  name: string | null;
  /** Its store outlives the page: it can come back and go on. */
  durable: boolean;
}

/** What is to be noted of one channel. Times are milliseconds of the recorder's monotonic clock. */
export interface Mark {
  /** The device said that it has no more than this: what it was thought to know beyond is void. Null: nobody doubts it. */
  floor: number | null;
  /** Everything up to here is acknowledged, … */
  upTo: number;
  /** … since then. */
  at: number;
}

/** A file that the device has, its hash verified; null: it has it no more. */
export interface Holding {
  channel: string;
  key: string;
  hash: string | null;
  at: number;
}

/** What a record gives away to be stored; what could not be stored is given back. */
export interface Taken {
  record: DeviceRecord;
  /** Whether the device itself is to be noted: it came, it left, or it was not seen for a while. */
  isNews: boolean;
  marks: Map<string, Mark>;
  /** By channel and key. */
  holdings: Map<string, Holding>;
  /** Told once it is stored. */
  stored: Waiting[];
}

interface Waiting {
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * What the ledger has yet to store of one connection. Noting something is a write to a Map; the recorder comes by once a
 * second. A device that moves has a new connection and so a new record; of two, the later one is right.
 */
export class DeviceRecord {
  /** Names this connection among all that the device ever had. */
  readonly connection = randomUUID();
  readonly connectedAt: number;
  /** When the device was last heard of, on the recorder's clock; while it is connected, that is now. */
  leftAt: number | null = null;
  /** Its session has ended: it leaves the roster. */
  isSignedOut = false;
  private notedAt = -Infinity;
  private marks = new Map<string, Mark>();
  private holdings = new Map<string, Holding>();
  private stored: Waiting[] = [];
  /** Reports that have no answer yet. */
  private reports = 0;

  /** @param now the recorder's clock */
  constructor(
    readonly identity: DeviceIdentity,
    private readonly now: () => number,
  ) {
    this.connectedAt = now();
  }

  /**
   * The device follows a channel from this offset, 0 for from the start: it has nothing of what is beyond.
   * @param known it acknowledges everything up to there; less than `offset` in the middle of a step
   */
  subscribed(channel: string, offset: number, known = offset): void {
    const earlier = this.marks.get(channel);
    const floor = Math.min(earlier?.floor ?? offset, offset);
    const upTo = Math.max(known, Math.min(earlier?.upTo ?? 0, offset));
    this.marks.set(channel, { floor, upTo, at: this.now() });
  }

  /** Cumulative. */
  acknowledged(channel: string, offset: number): void {
    const mark = this.marks.get(channel);
    if (mark === undefined) this.marks.set(channel, { floor: null, upTo: offset, at: this.now() });
    else if (offset > mark.upTo) {
      mark.upTo = offset;
      mark.at = this.now();
    }
  }

  /**
   * @returns once it is stored
   * @throws SyncError `rate_limited`, `database_unavailable`, and what the database throws, when it is not
   */
  async holds(channel: string, items: readonly { key: string; hash: string | null }[]): Promise<void> {
    if (this.reports >= mostReports)
      throw new SyncError('rate_limited', 'Too many reports wait to be stored.', { retryAfterMs: 1_000 });
    this.reports += 1;
    for (const { key, hash } of items) this.holdings.set(`${channel} ${key}`, { channel, key, hash, at: this.now() });
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(databaseUnavailable()), holdsWithinMs);
        this.stored.push({ resolve, reject });
      });
    } finally {
      this.reports -= 1;
      clearTimeout(timer);
    }
  }

  /** Whoever signs out leaves nothing on the device; if they come back with what they had, the position says so. */
  signedOut(): void {
    this.isSignedOut = true;
  }

  left(): void {
    this.leftAt = this.now();
    this.notedAt = -Infinity;
  }

  /** Null where there is nothing to store. @param seenEveryMs a device that stays is noted again after this time */
  take(seenEveryMs: number): Taken | null {
    const isNews = this.now() - this.notedAt >= seenEveryMs;
    if (!isNews && this.marks.size === 0 && this.stored.length === 0) return null;
    const { marks, holdings, stored } = this;
    this.marks = new Map();
    this.holdings = new Map();
    this.stored = [];
    if (isNews) this.notedAt = this.now();
    return { record: this, isNews, marks, holdings, stored };
  }

  /** It was not stored. Acknowledgements wait for the next time; who reported a file is told. */
  giveBack({ isNews, marks, stored }: Taken, error: unknown): void {
    if (isNews) this.notedAt = -Infinity;
    for (const [channel, earlier] of marks) this.marks.set(channel, joined(earlier, this.marks.get(channel)));
    for (const { reject } of stored) reject(error);
  }
}

/** Two marks of one device and channel as one. */
export function joined(earlier: Mark, later: Mark | undefined): Mark {
  if (later === undefined) return earlier;
  const floors = [earlier.floor, later.floor].filter((floor) => floor !== null);
  return { ...later, floor: floors.length > 0 ? Math.min(...floors) : null };
}
