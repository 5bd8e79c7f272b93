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
  const channels = new Set([systemChannel, userChannel(userId)]);
  for (const { bandId, instrument, role } of memberships) {
    const { audiences } = await bus.request('content.audiences_requested', { instrument, role });
    for (const audience of [null, ...audiences]) channels.add(bandChannel(bandId, audience));
  }
  return { channels, memberships };
}

export const leads = (access: Access, bandId: string): boolean =>
  access.memberships.some((membership) => membership.bandId === bandId && membership.role === 'leader');

export const belongsTo = (access: Access, bandId: string): boolean =>
  access.memberships.some((membership) => membership.bandId === bandId);
