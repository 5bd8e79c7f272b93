import { ApiError, invalidValue, required } from './api-error.js';
import { newId } from './store.js';

const hourMs = 3_600_000;
const longestMs = 7 * 24 * hourMs;

/** A notification channel of `changes.watch`. */
export interface Channel {
  id: string;
  address: string;
  token: string | undefined;
  resourceId: string;
  resourceUri: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  user: string;
  /** The one shared drive it watches; null for all that the user sees. */
  driveId: string | null;
  /** Of the last notification. */
  number: number;
  /** Notifications go out one after another. */
  lastDelivery: Promise<void>;
}

/**
 * The channel a client asks for with `{ id, type, address, token?, expiration? }`. It lives an hour by default; an
 * expiration beyond seven days is cut to that.
 * @throws ApiError 400
 */
export function newChannel(
  { id, type, address, token, expiration }: Record<string, unknown>,
  watched: Pick<Channel, 'user' | 'driveId' | 'resourceUri'>,
  now: number,
): Channel {
  if (id === undefined) throw required('id');
  if (typeof id !== 'string' || !/^[A-Za-z0-9\-_+/=]{1,64}$/.test(id)) {
    throw new ApiError(400, 'channelIdInvalid', 'Channel id must be 1 to 64 characters of [A-Za-z0-9\\-_\\+/=]+');
  }
  if (type !== 'web_hook') throw invalidValue('type', 'Unknown channel type');
  if (typeof address !== 'string') throw required('address');
  if (!address.startsWith('https://')) {
    throw new ApiError(400, 'push.webhookUrlNotHttps', `WebHook callback must be HTTPS: ${address}`);
  }
  if (token !== undefined && (typeof token !== 'string' || token.length > 256)) throw invalidValue('token');
  const wanted = expiration === undefined ? now + hourMs : Number(expiration);
  if (!(wanted > now)) throw invalidValue('expiration');
  return {
    ...watched,
    id,
    address,
    token,
    resourceId: newId().slice(0, 27),
    expiresAt: Math.min(wanted, now + longestMs),
    number: 0,
    lastDelivery: Promise.resolve(),
  };
}

/** As `changes.watch` answers it. */
export function channelResource(channel: Channel): Record<string, unknown> {
  const { id, resourceId, resourceUri, token, expiresAt } = channel;
  return { kind: 'api#channel', id, resourceId, resourceUri, token, expiration: String(expiresAt) };
}
