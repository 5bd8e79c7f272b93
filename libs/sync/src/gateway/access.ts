import type { Bus, Membership } from '@soleil/bus';
import { bandChannel, systemChannel, userChannel } from '@soleil/sync-protocol';

/** What one user may follow and do, as Auth and Content said when they were last asked. */
export interface Access {
  channels: ReadonlySet<string>;
  memberships: readonly Membership[];
}

/** Asks Auth for the memberships and Content for the audiences; decides nothing of its own. */
export async function askAccess(bus: Bus, userId: string): Promise<Access> {
  const { memberships } = await bus.request('auth.memberships_requested', { userId });
  const ofBands = await Promise.all(memberships.map((membership) => channelsOf(bus, membership)));
  return { channels: new Set([systemChannel, userChannel(userId), ...ofBands.flat()]), memberships };
}

/** The channels that a membership opens. */
export async function channelsOf(bus: Bus, { bandId, instrument, role }: Membership): Promise<string[]> {
  const { audiences } = await bus.request('content.audiences_requested', { instrument, role });
  return [null, ...audiences].map((audience) => bandChannel(bandId, audience));
}

export const leads = (access: Access, bandId: string): boolean =>
  access.memberships.some((membership) => membership.bandId === bandId && membership.role === 'leader');

export const belongsTo = (access: Access, bandId: string): boolean =>
  access.memberships.some((membership) => membership.bandId === bandId);
