import { z } from 'zod';

/**
 * A channel is one ordered log and the circle of people who may read it:
 * `system` everybody · `user:<id>` one person · `band:<id>` a band · `band:<id>:<audience>` a part of a band, such as `Bb`.
 */
export const channelName = z
  .string()
  .max(160)
  .regex(
    /^(system|user:[\w-]{1,64}|band:[\w-]{1,64}(:[\w-]{1,64})?)$/,
    'must be system, user:<id>, band:<id> or band:<id>:<audience>',
  );

export type ChannelName = z.infer<typeof channelName>;

export const systemChannel: ChannelName = 'system';
export const userChannel = (userId: string): ChannelName => `user:${userId}`;
/** @param audience null for the whole band */
export const bandChannel = (bandId: string, audience: string | null = null): ChannelName =>
  audience === null ? `band:${bandId}` : `band:${bandId}:${audience}`;

/** The circle of a band's channel; null for a channel of another kind. */
export function audienceOf(channel: ChannelName): { bandId: string; audience: string | null } | null {
  const [kind, bandId, audience = null] = channel.split(':');
  return kind === 'band' && bandId !== undefined ? { bandId, audience } : null;
}
