import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import type { GoogleApi } from './google-api.js';

/** Google keeps a subscription to changes for seven days at most. */
export const longestChannelMs = 7 * 24 * 60 * 60_000;
/** What has no answer after this was not set up. */
const answerMs = 60_000;
/** The new one begins before the old one ends. */
const longestOverlapMs = 60 * 60_000;

/**
 * A band's subscriptions to notifications. Google renews none: before one expires another is made beside it, and the old
 * one ended when the new one holds.
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
    try {
      const expiresAt = Date.now() + this.channelMs;
      const answer = await this.api.watch(from, { id: channelId, token, address: this.webhookUrl, expiresAt });
      const overlapMs = Math.min((answer.expiresAt - Date.now()) / 4, longestOverlapMs);
      await this.dataSource.query(
        `update drive_channel set resource_id = $2, expires_at = to_timestamp($3), renew_at = to_timestamp($4) where channel_id = $1`,
        [channelId, answer.resourceId, answer.expiresAt / 1_000, (answer.expiresAt - overlapMs) / 1_000],
      );
    } catch (error) {
      await this.forget(channelId);
      throw error;
    }
    await this.endAll(channelId);
  }

  /** Ends all but one, or all. */
  async endAll(but: string | null = null): Promise<void> {
    const channels = await this.dataSource.query<{ channelId: string; resourceId: string | null }[]>(
      `select channel_id as "channelId", resource_id as "resourceId" from drive_channel
       where band_id = $1 and channel_id is distinct from $2`,
      [this.bandId, but],
    );
    for (const { channelId, resourceId } of channels) {
      if (resourceId !== null) await this.api.stopChannel(channelId, resourceId);
      await this.forget(channelId);
    }
  }

  /** @returns the id of one to be made; null when another process has made one, or is about to */
  private async claim(token: string): Promise<string | null> {
    return this.dataSource.transaction(async (manager) => {
      await manager.query('select from drive_folder where band_id = $1 for update', [this.bandId]);
      if (await this.isKept(manager)) return null;
      const channelId = randomUUID();
      await manager.query(
        `insert into drive_channel (channel_id, band_id, token, renew_at, expires_at)
         select $1, $2, $3, until, until from (values (clock_timestamp() + make_interval(secs => $4))) as answered (until)`,
        [channelId, this.bandId, token, answerMs / 1_000],
      );
      return channelId;
    });
  }

  private async isKept(manager: EntityManager): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'select from drive_channel where band_id = $1 and renew_at > clock_timestamp()',
      [this.bandId],
    );
    return rows.length > 0;
  }

  private async forget(channelId: string): Promise<void> {
    await this.dataSource.query('delete from drive_channel where channel_id = $1', [channelId]);
  }
}
