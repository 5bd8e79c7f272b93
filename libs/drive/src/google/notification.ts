import { createHash, timingSafeEqual } from 'node:crypto';
import type { DriveNotification } from '@soleil/bus';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { DriveError } from '../drive-error.js';
import type { NotificationHeaders } from '../provider.js';

/** What Google always sends, and the token, which we always ask for. The body is empty, and nothing is signed. */
const headersSchema = z.object({
  'x-goog-channel-id': z.string().min(1).max(64),
  'x-goog-message-number': z
    .string()
    .regex(/^[1-9]\d{0,15}$/)
    .transform(Number)
    .refine(Number.isSafeInteger),
  'x-goog-resource-state': z.string().regex(/^[a-z_]{1,32}$/),
  'x-goog-resource-id': z.string().min(1).max(1_024),
  'x-goog-channel-token': z.string().max(256),
});

/**
 * Reads the headers of a notification and makes sure that Google sent it, in answer to a subscription of ours.
 * @param provider which the band is connected to: what was asked for elsewhere is nobody's business any more
 * @returns null when these are no headers of Google's
 * @throws DriveError `webhook_invalid`, `webhook_unknown`
 */
export async function readNotification(
  headers: NotificationHeaders,
  dataSource: DataSource,
  provider: string,
): Promise<DriveNotification | null> {
  if (!Object.keys(headers).some((name) => name.startsWith('x-goog-'))) return null;
  const parsed = headersSchema.safeParse(headers);
  if (!parsed.success) {
    const name = String(parsed.error.issues[0]?.path[0]);
    throw new DriveError('webhook_invalid', `The header ${name} is not as Google Drive sends it.`, { details: { name } });
  }
  const { 'x-goog-channel-id': channelId, 'x-goog-channel-token': token, 'x-goog-resource-id': resourceId } = parsed.data;
  const [channel] = await dataSource.query<{ bandId: string; token: string; resourceId: string | null }[]>(
    `select band_id as "bandId", token, resource_id as "resourceId" from drive_channel join drive_folder using (band_id)
     where channel_id = $1 and provider = $2 and expires_at > clock_timestamp()`,
    [channelId, provider],
  );
  if (!channel) throw new DriveError('webhook_unknown', 'Nobody has subscribed to this, or not any more.');
  // Until Google has answered, what it calls the resource is not known.
  const isResource = channel.resourceId === null || channel.resourceId === resourceId;
  if (!isSame(token, channel.token) || !isResource)
    throw new DriveError('webhook_invalid', 'This does not come from where the subscription was made.');
  // The answer may be lost, and without this nobody could end the subscription.
  if (channel.resourceId === null)
    await dataSource.query('update drive_channel set resource_id = $2 where channel_id = $1 and resource_id is null', [
      channelId,
      resourceId,
    ]);
  return {
    bandId: channel.bandId,
    eventId: `google:${channelId}:${parsed.data['x-goog-message-number']}`,
    state: parsed.data['x-goog-resource-state'],
  };
}

/** Takes as long for a token that is nearly right as for any other. */
function isSame(given: string, wanted: string): boolean {
  const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
