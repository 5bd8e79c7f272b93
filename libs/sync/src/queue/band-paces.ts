import * as statements from './pace-statements.js';
import type { QueueDatabase } from './queue-database.js';

/** What asks for more time is asked again after this at the latest: nobody could take back a pause of a year. */
export const longestPauseMs = 3_600_000;

/** Why a band's operations wait, since when and until when. */
export interface BandPause {
  since: Date;
  until: Date;
  code: string;
  message: string;
}

/** When the operations of a band may not begin, all but critical ones: its source asked for time, or its minute is spent. */
export class BandPaces {
  constructor(private readonly database: QueueDatabase) {}

  /** Lets nothing of a band begin for so long, on any node: its source asked for time. An hour at most. */
  async pause(bandId: string, forMs: number, { code, message }: Pick<BandPause, 'code' | 'message'>): Promise<void> {
    await this.database.query(statements.pause, [bandId, Math.min(forMs, longestPauseMs), code, message]);
  }

  /** Null: its operations begin as they come. */
  async pauseOf(bandId: string): Promise<BandPause | null> {
    const [pause] = await this.database.query<BandPause>(statements.paused, [bandId]);
    return pause ?? null;
  }

  /**
   * Lets what is due of a band be due when it goes on, where it is paused or has begun as many as it may.
   * @param perMinute how many may begin in a minute where its settings do not say; null for as many as can
   */
  async postpone(bandId: string, perMinute: number | null): Promise<void> {
    await this.database.query(statements.postpone, [bandId, perMinute, minuteSpent.code, minuteSpent.message]);
  }
}

/** Why a band is paused that has begun as many operations as it may in a minute. */
const minuteSpent = {
  code: 'band_limit_reached',
  message: 'The band has begun the %s operations of this minute.',
};
