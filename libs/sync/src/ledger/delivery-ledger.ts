import { Injectable } from '@nestjs/common';
import type { Bus, Member } from '@soleil/bus';
import { audienceOf, SyncError, type Message } from '@soleil/sync-protocol';
import type { LogReader } from '../log/log-reader.js';
import type { DeviceDelivery, LedgerStore } from './ledger-store.js';

export interface MemberDelivery {
  userId: string;
  name: string;
  instrument: string;
  /** In the order in which they were first seen; none for somebody who was not connected for 30 days. */
  devices: Omit<DeviceDelivery, 'userId'>[];
}

/** Who knows a message, and who has the file that it brought news of. */
export interface Delivery {
  messageId: string;
  channel: string;
  offset: number;
  /** When the message was published, ISO 8601. */
  publishedAt: string;
  /** The file that devices may have: its key, and the SHA-256 of its bytes. Null for a message that is about no file. */
  file: { key: string; hash: string } | null;
  /** Those whom the message is for by now, as Auth orders them. */
  members: MemberDelivery[];
}

/**
 * Tells who knows what. A device *knows* a message once it acknowledged it, or a later one of its key: it has stored it. It
 * *has the file* once it reported that the bytes are there and their hash is the one that the message tells.
 */
@Injectable()
export class DeliveryLedger {
  constructor(
    private readonly log: LogReader,
    private readonly store: LedgerStore,
    private readonly bus: Bus,
  ) {}

  /**
   * Of a message to a band or one of its parts. What devices have told within the last second may be missing.
   * @throws SyncError `message_unknown` where the log has no such message, or it was superseded long ago, or is to no band
   */
  async delivery(messageId: string): Promise<Delivery> {
    const found = await this.log.message(messageId);
    const circle = found && audienceOf(found.channel);
    if (!found || !circle) throw messageUnknown();
    const { channel, message } = found;
    const members = await this.membersOf(circle.bandId, circle.audience);
    const file = fileOf(message);
    const userIds = members.map(({ userId }) => userId);
    const devices = await this.store.devices({ userIds, channel, offset: message.offset, file });
    return {
      messageId,
      channel,
      offset: message.offset,
      publishedAt: message.at,
      file,
      members: members.map(({ userId, name, instrument }) => ({
        userId,
        name,
        instrument,
        devices: devices.filter((device) => device.userId === userId).map(({ userId: _, ...device }) => device),
      })),
    };
  }

  private async membersOf(bandId: string, audience: string | null): Promise<Member[]> {
    const { members } = await this.bus.request('auth.members_requested', { bandId });
    if (audience === null) return members;
    const belongs = await Promise.all(
      members.map(async ({ instrument, role }) => {
        const { audiences } = await this.bus.request('content.audiences_requested', { instrument, role });
        return audiences.includes(audience);
      }),
    );
    return members.filter((_, index) => belongs[index]);
  }
}

export const messageUnknown = (): SyncError => new SyncError('message_unknown', 'There is no such message.');

/** A message about a file tells its hash; one without is about something else, or about a file that nobody can have. */
function fileOf({ key, data }: Message): Delivery['file'] {
  const hash = (data as { hash?: unknown } | null)?.hash;
  return key !== undefined && typeof hash === 'string' && hash !== '' ? { key, hash } : null;
}
