import { z } from 'zod';
import { channelName } from './channel.js';
import { epoch, offset, position } from './position.js';

/** One entry of a channel's log. */
export const message = z.strictObject({
  offset,
  /** Unique over all channels, and the same wherever and whenever this message is seen. */
  id: z.string(),
  type: z.string().min(1).max(64),
  /** The entity this message is about. `data` is then its whole state, and null says that it is gone. */
  key: z.string().min(1).max(200).optional(),
  data: z.unknown(),
  /** When it was published, ISO 8601. */
  at: z.string(),
});

/**
 * Messages of one channel, ascending. The frame speaks for every offset in `from`..`to`: what is absent between them was
 * superseded or has expired, so it is never a gap. `from` is the receiver's offset plus one, or lower when a frame repeats.
 */
export const messagesFrame = z.strictObject({
  channel: channelName,
  /** Of `to`: the receiver's new position is `{ epoch, offset: to }`. */
  epoch,
  from: offset,
  to: offset,
  messages: z.array(message),
  /** This frame and the next of the channel are one step: show nothing until one comes without it. */
  more: z.literal(true).optional(),
  /** With `more`: where the step ends. Until then the rows may be of there already, so a position on the way is good only if this is. */
  until: position.optional(),
});

/**
 * A `messages` frame as JSON in UTF-8, compressed as zlib does it (RFC 1950), in Base64. Only to clients that accept it, and
 * only where it is large. It takes its place in the order of the frames that come plain.
 */
export const deflatedFrame = z.strictObject({ data: z.base64() });

export type DeflatedFrame = z.infer<typeof deflatedFrame>;
export type Message = z.infer<typeof message>;
export type MessagesFrame = z.infer<typeof messagesFrame>;
