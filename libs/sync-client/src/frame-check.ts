import type { DeflatedFrame, Message, MessagesFrame, Pace, Position, Signalled } from '@soleil/sync-protocol';

/**
 * Checks of what a server sends, by hand: the schemas of the protocol would bring their library to every device (84 KB,
 * compressed 24, against 22 for this whole client with Socket.IO in it). What decides about positions and rows is checked in
 * full; a message's `data` belongs to the application. A test holds these checks against the schemas.
 */
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isPosition = (value: unknown): value is Position =>
  isObject(value) && typeof value.epoch === 'string' && isOffset(value.offset);

const isMessage = (value: unknown): value is Message =>
  isObject(value) &&
  isOffset(value.offset) &&
  typeof value.id === 'string' &&
  typeof value.type === 'string' &&
  typeof value.at === 'string' &&
  value.data !== undefined &&
  (value.key === undefined || typeof value.key === 'string');

/** Also that the messages ascend and lie within what the frame speaks for: a store relies on it. */
export const isMessagesFrame = (value: unknown): value is MessagesFrame => {
  if (!isObject(value) || typeof value.channel !== 'string' || typeof value.epoch !== 'string') return false;
  if (!isOffset(value.from) || !isOffset(value.to) || !Array.isArray(value.messages)) return false;
  if (value.more !== undefined && value.more !== true) return false;
  if (value.until !== undefined && !isPosition(value.until)) return false;
  let previous = value.from - 1;
  for (const message of value.messages) {
    if (!isMessage(message) || message.offset <= previous || message.offset > value.to) return false;
    previous = message.offset;
  }
  return true;
};

export const isDeflatedFrame = (value: unknown): value is DeflatedFrame => isObject(value) && typeof value.data === 'string';

export const isSignal = (value: unknown): value is Signalled =>
  isObject(value) &&
  typeof value.channel === 'string' &&
  typeof value.type === 'string' &&
  (value.key === undefined || typeof value.key === 'string') &&
  (value.from === undefined || (isObject(value.from) && typeof value.from.userId === 'string'));

export const namesChannel = (value: unknown): value is { channel: string } =>
  isObject(value) && typeof value.channel === 'string';

export const isPace = (value: unknown): value is Pace =>
  isObject(value) && isOffset(value.ackEveryMs) && isOffset(value.ackEveryBytes) && value.ackEveryBytes > 0;
