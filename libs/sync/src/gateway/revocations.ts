import { Injectable } from '@nestjs/common';
import { Bus, OnFact, type Facts, type Membership } from '@soleil/bus';
import { systemChannel, userChannel } from '@soleil/sync-protocol';
import { Publisher } from '../log/publisher.js';
import { channelsOf } from './access.js';

/**
 * Writes into every channel that somebody loses, or gains, at which offset that is, in the transaction that changes it. So
 * each node ends what they had at one and the same place in the channel's order.
 */
@Injectable()
export class Revocations {
  constructor(
    private readonly bus: Bus,
    private readonly publisher: Publisher,
  ) {}

  /** Where a right begins, too: whoever has it now goes on from no position that is older, learned or made up. */
  @OnFact('auth.rights_changing')
  async rightsChanging({ userId, before, after, transaction }: Facts['auth.rights_changing']): Promise<void> {
    const had = new Set(await this.channels(before));
    const has = new Set(await this.channels(after));
    const changed = [...had, ...has].filter((channel) => !had.has(channel) || !has.has(channel));
    await this.publisher.publishControl(changed, { type: 'sync.right_ended', data: { userId } }, transaction);
  }

  @OnFact('auth.session_ending')
  async sessionEnding({ userId, sessionId, memberships, transaction }: Facts['auth.session_ending']): Promise<void> {
    const ofBands = await Promise.all(memberships.map((membership) => this.channels(membership)));
    const channels = [systemChannel, userChannel(userId), ...ofBands.flat()];
    await this.publisher.publishControl(channels, { type: 'sync.session_ended', data: { userId, sessionId } }, transaction);
  }

  private async channels(membership: Membership | null): Promise<string[]> {
    return membership ? channelsOf(this.bus, membership) : [];
  }
}
