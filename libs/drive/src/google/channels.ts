import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { DriveError } from '../drive-error.js';
import type { GoogleApi } from './google-api.js';

/** Google keeps a subscription to changes for seven days at most. */
export const longestChannelMs = 7 * 24 * 60 * 60_000;
/** For so long nobody else makes one beside one that is being made. */
const answerMs = 60_000;
/** The new one begins before the old one ends. */
const longestOverlapMs = 60 * 60_000;
/** Google has made one of this id: it was asked for twice, since its first answer was lost. */
const isMadeReason = 'channelIdNotUnique';

interface StoredChannel {
  channelId: string;
  /** Null until Google has told it, in its answer or in a notification. */
  resourceId: string | null;
  isKept: boolean;
}

/**
 * A band's subscriptions to notifications. Google renews none: before one expires another is made beside it, and the old
 * one ended when the new one holds.
 *
 *     claimed ──answered──▶ kept ──renewed──▶ superseded ──▶ ended
 *        └──no answer, or too late──▶ superseded, ended as soon as a notification tells what it is called
 *
 * Whenever the process dies, what Google may have made is stored: it is taken for genuine, and ended once another holds.
 */
export class Channels {
  constructor(
    private readonly dataSource: DataSource,
    private readonly bandId: string,
    private readonly api: GoogleApi,
    private readonly webhookUrl: string,
    private readonly channelMs: number,
  ) {}

  /** Makes sure that there is one for some time to come. @param pageToken from which it is to tell */
  async keep(pageToken: () => Promise<string>): Promise<void> {
    if (await this.isKept(this.dataSource.manager)) return;
    const from = await pageToken();
    const token = randomBytes(32).toString('base64url');
    // Stored before it is asked for: the first notification may be here before the answer.
    const channelId = await this.claim(token);
    if (channelId === null) return;
    const expiresAt = Date.now() + this.channelMs;
    try {
      const answer = await this.api.watch(from, { id: channelId, token, address: this.webhookUrl, expiresAt });
      if (await this.hold(channelId, answer)) return;
      // The band has gone to another place meanwhile.
      await this.api.stopChannel(channelId, answer.resourceId);
    } catch (error) {
      await (isRefusal(error) ? this.forget(channelId) : this.supersede(channelId));
      throw error;
    }
  }

  /**
   * Ends those that another one has replaced: each, though one of them cannot be ended now.
   * @throws the first failure
   */
  async endSuperseded(): Promise<void> {
    await this.dataSource.query('delete from drive_channel where band_id = $1 and expires_at <= clock_timestamp()', [
      this.bandId,
    ]);
    const channels = await this.stored();
    if (!channels.some(({ isKept, resourceId }) => isKept && resourceId !== null)) return;
    await this.end(channels.filter(({ isKept }) => !isKept));
  }

  /** Ends and forgets all: what comes of one that could not be ended is refused. @throws the first failure */
  async endAll(): Promise<void> {
    const channels = await this.stored();
    try {
      await this.end(channels);
    } finally {
      await this.dataSource.query('delete from drive_channel where band_id = $1', [this.bandId]);
    }
  }

  private async end(channels: readonly StoredChannel[]): Promise<void> {
    const endings = channels.map(async ({ channelId, resourceId }) => {
      if (resourceId === null) return;
      await this.api.stopChannel(channelId, resourceId);
      await this.forget(channelId);
    });
    const failed = (await Promise.allSettled(endings)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
  }

  private async stored(): Promise<StoredChannel[]> {
    return this.dataSource.query(
      `select channel_id as "channelId", resource_id as "resourceId", renew_at > clock_timestamp() as "isKept"
       from drive_channel where band_id = $1`,
      [this.bandId],
    );
  }

  /** @returns the id of one to be made; null when another process has made one, or is about to */
  private async claim(token: string): Promise<string | null> {
    return this.dataSource.transaction(async (manager) => {
      await this.lock(manager);
      if (await this.isKept(manager)) return null;
      const channelId = randomUUID();
      await manager.query(
        `insert into drive_channel (channel_id, band_id, token, renew_at, expires_at)
         select $1, $2, $3, now + make_interval(secs => $4), now + make_interval(secs => $5) from clock_timestamp() as claimed (now)`,
        [channelId, this.bandId, token, answerMs / 1_000, this.channelMs / 1_000],
      );
      return channelId;
    });
  }

  /**
   * What Google answered, late perhaps: where another one is kept by then, this one is not.
   * @returns false when it is nobody's any more
   */
  private async hold(channelId: string, answer: { resourceId: string; expiresAt: number }): Promise<boolean> {
    const overlapMs = Math.min((answer.expiresAt - Date.now()) / 4, longestOverlapMs);
    return this.dataSource.transaction(async (manager) => {
      await this.lock(manager);
      const isReplaced = await this.isKept(manager, channelId);
      const [, stored] = await manager.query<[unknown[], number]>(
        `update drive_channel set resource_id = $2, expires_at = to_timestamp($3),
           renew_at = case when $5 then clock_timestamp() else to_timestamp($4) end
         where channel_id = $1`,
        [channelId, answer.resourceId, answer.expiresAt / 1_000, (answer.expiresAt - overlapMs) / 1_000, isReplaced],
      );
      return stored > 0;
    });
  }

  private async lock(manager: EntityManager): Promise<void> {
    await manager.query('select from drive_folder where band_id = $1 for update', [this.bandId]);
  }

  private async isKept(manager: EntityManager, but: string | null = null): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `select from drive_channel where band_id = $1 and renew_at > clock_timestamp() and channel_id is distinct from $2`,
      [this.bandId, but],
    );
    return rows.length > 0;
  }

  private async supersede(channelId: string): Promise<void> {
    await this.dataSource.query('update drive_channel set renew_at = clock_timestamp() where channel_id = $1', [channelId]);
  }

  private async forget(channelId: string): Promise<void> {
    await this.dataSource.query('delete from drive_channel where channel_id = $1', [channelId]);
  }
}

/** Whether Google has made no channel for certain. */
function isRefusal(error: unknown): boolean {
  return error instanceof DriveError && error.code === 'access_denied' && error.details['reason'] !== isMadeReason;
}
