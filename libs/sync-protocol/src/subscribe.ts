import { z } from 'zod';
import { answerOf } from './answer.js';
import { channelName } from './channel.js';
import { epoch, offset, position } from './position.js';

/**
 * Starts a channel. With a position: what came after it follows. Without: the channel's present state follows, by the
 * same frames. A position that is no longer good is answered by `reset` and then the state from the start.
 */
export const subscribe = z.strictObject({
  channel: channelName,
  position: position.optional(),
  /** Of the last frame with `more`, where the position lies in the middle of a step. It must be good, too. */
  until: position.optional(),
});

/** `head` is where the channel stood when the subscription began: the device is up to date once its offset reaches it. */
export const subscribeAnswer = answerOf({ epoch, head: offset });

/** Ends a channel. Nothing of it is sent after the answer. */
export const unsubscribe = z.strictObject({ channel: channelName });
export const unsubscribeAnswer = answerOf({});

/** Everything up to `offset` is stored by the device. Cumulative: a lower one than before changes nothing. */
export const ack = z.strictObject({ channel: channelName, offset });
export const ackAnswer = answerOf({});

/** Forget this channel's rows; the state from the start follows. */
export const reset = z.strictObject({
  channel: channelName,
  epoch,
  /**
   * `epoch_unknown`: a history this server does not have. `position_ahead`: beyond the end of that history.
   * `rights_renewed`: the right to the channel ended after the position, and was granted again since.
   * `position_expired`: further back than the server can tell what is gone since.
   */
  reason: z.enum(['epoch_unknown', 'position_ahead', 'rights_renewed', 'position_expired']),
});

/** The right to this channel was taken away: forget its rows; nothing more of it is sent. */
export const revoked = z.strictObject({ channel: channelName });

export type SubscribeAnswer = z.infer<typeof subscribeAnswer>;
export type Reset = z.infer<typeof reset>;
export type Revoked = z.infer<typeof revoked>;
