import { ApiError } from './api-error.js';
import type { Channel } from './channel.js';
import type { Clock } from './clock.js';
import type { StoredChange } from './store.js';

export interface Delivery {
  channelId: string;
  number: number;
  state: 'sync' | 'change';
  /** What the receiver answered; null where it could not be reached. */
  status: number | null;
}

interface Notification {
  channel: Channel;
  number: number;
  state: 'sync' | 'change';
}

/**
 * Posts notifications to the open channels. Nothing here waits for time: expiry is read from the clock when there is
 * something to send, and what is to be sent again waits for `retry`.
 */
export class Push {
  private readonly channels = new Map<string, Channel>();
  private refused: Notification[] = [];
  private readonly underWay = new Set<Promise<void>>();
  /** Every attempt, in the order of the answers. */
  readonly deliveries: Delivery[] = [];

  /** Where to post what goes to an address. Channels demand https, which receivers in tests seldom speak. */
  route: (address: string) => string = (address) => address;
  /** How often each notification is posted; 0 loses them all. */
  copies = 1;
  /** Whether `sync` arrives before `changes.watch` has answered. Google promises neither order. */
  syncsFirst = false;
  /** By how much the number rises from one notification to the next. Gaps are normal. */
  numberStep = 3;
  /** The `X-Goog-Changed` header, which is sent sometimes; not at all by default. */
  changed: string | undefined;

  constructor(private readonly clock: Clock) {}

  /**
   * @returns what is to be called when `changes.watch` has answered
   * @throws ApiError 400 for an id that another channel has
   */
  async open(channel: Channel): Promise<() => void> {
    if (this.channels.has(channel.id)) {
      throw new ApiError(400, 'channelIdNotUnique', `Channel id ${channel.id} not unique`);
    }
    this.channels.set(channel.id, channel);
    if (!this.syncsFirst) return () => void this.send(channel, 'sync');
    await this.send(channel, 'sync');
    return () => undefined;
  }

  /** @throws ApiError 404 */
  stop(id: unknown, resourceId: unknown): void {
    const channel = this.channels.get(String(id));
    if (!channel || channel.resourceId !== resourceId) {
      throw new ApiError(404, 'notFound', `Channel '${String(id)}' not found for project 'band-project'`);
    }
    this.channels.delete(channel.id);
  }

  /** Tells those who watch that something changed; several changes at once are one notification. */
  notify(changes: StoredChange[]): void {
    for (const channel of this.living()) {
      const isConcerned = changes.some(
        ({ audience, driveIds }) =>
          audience.has(channel.user) && (channel.driveId === null || driveIds.has(channel.driveId)),
      );
      if (isConcerned) void this.send(channel, 'change');
    }
  }

  /** Posts so many notifications to a channel though nothing changed. */
  flood(channelId: string, notifications: number): void {
    const channel = this.living().find(({ id }) => id === channelId);
    if (!channel) throw new Error(`No channel ${channelId} is open`);
    for (let i = 0; i < notifications; i += 1) void this.send(channel, 'change');
  }

  /** Posts again, under their old numbers, those that were answered with 500, 502, 503 or 504 or reached nobody. */
  retry(): void {
    for (const notification of this.refused.splice(0)) void this.post(notification);
  }

  /** Resolves when every notification so far was answered. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** The channels that are neither stopped nor expired. */
  get openChannels(): { id: string; address: string; expiresAt: number }[] {
    return this.living().map(({ id, address, expiresAt }) => ({ id, address, expiresAt }));
  }

  private living(): Channel[] {
    return [...this.channels.values()].filter(({ expiresAt }) => expiresAt > this.clock.now());
  }

  private async send(channel: Channel, state: 'sync' | 'change'): Promise<void> {
    channel.number = state === 'sync' ? 1 : channel.number + this.numberStep;
    const notification = { channel, number: channel.number, state };
    await Promise.all(Array.from({ length: this.copies }, () => this.post(notification)));
  }

  private post(notification: Notification): Promise<void> {
    const { channel } = notification;
    channel.lastDelivery = channel.lastDelivery.then(() => this.deliver(notification));
    const delivery = channel.lastDelivery;
    this.underWay.add(delivery);
    return delivery.finally(() => this.underWay.delete(delivery));
  }

  private async deliver(notification: Notification): Promise<void> {
    const { channel, number, state } = notification;
    const status = await post(this.route(channel.address), headersOf(notification, this.changed));
    if (status === null || [500, 502, 503, 504].includes(status)) this.refused.push(notification);
    this.deliveries.push({ channelId: channel.id, number, state, status });
  }
}

function headersOf({ channel, number, state }: Notification, changed: string | undefined): Record<string, string> {
  return {
    'Content-Type': 'application/json; utf-8',
    'User-Agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
    'X-Goog-Channel-ID': channel.id,
    'X-Goog-Channel-Expiration': new Date(channel.expiresAt).toUTCString(),
    'X-Goog-Message-Number': String(number),
    'X-Goog-Resource-ID': channel.resourceId,
    'X-Goog-Resource-State': state,
    'X-Goog-Resource-URI': channel.resourceUri,
    ...(channel.token === undefined ? {} : { 'X-Goog-Channel-Token': channel.token }),
    ...(changed === undefined || state === 'sync' ? {} : { 'X-Goog-Changed': changed }),
  };
}

async function post(url: string, headers: Record<string, string>): Promise<number | null> {
  try {
    const response = await fetch(url, { method: 'POST', headers });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}
