import type { MessagesFrame } from '@soleil/sync-protocol';
import type { Control } from '../../libs/sync/src/log/control-message.js';
import type { Model } from './model.js';
import type { Truth } from './truth.js';

/**
 * Nothing that is later than the end of a right, or of a session, may be sent to whom it concerns, as long as the right was
 * not granted again. @returns what was sent and should not have been, in words; null when all is well
 */
export function leakOf(
  { userId, sessionId }: { userId: string; sessionId: string },
  { channel, messages }: MessagesFrame,
  truth: Truth,
  model: Model,
): string | null {
  const last = messages.at(-1)?.offset ?? 0;
  const ends: Control[] = [];
  if (!truth.mayFollow(userId, channel)) ends.push({ type: 'sync.right_ended', data: { userId } });
  if (!truth.userOf(sessionId)) ends.push({ type: 'sync.session_ended', data: { userId, sessionId } });
  for (const { type, data } of ends) {
    const logged = model
      .now(channel)
      .filter(({ message }) => message.type === type && JSON.stringify(message.data) === JSON.stringify(data));
    // One that has committed and is not numbered yet will come after all that can be sent by now.
    if (logged.length < truth.timesCommitted(channel, type, data)) continue;
    const end = logged.at(-1)?.message.offset ?? Infinity;
    if (last > end) return `${userId} was sent ${last} of ${channel} after ${type} at ${end}`;
  }
  return null;
}
