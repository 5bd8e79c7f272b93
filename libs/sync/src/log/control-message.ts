import type { Message } from '@soleil/sync-protocol';

/** Types that begin like this are Sync's own: publishers may not use them, and devices are never sent them. */
const reservedPrefix = 'sync.';

/** The same of a row, in SQL; a partial index of the outbox says so, too. */
export const isControlRow = `type like '${reservedPrefix}%'`;

/** Whether a message speaks to the nodes and not to devices. Its offset is covered by `from` and `to` of frames all the same. */
export const isControl = ({ type }: { type: string }): boolean => type.startsWith(reservedPrefix);

/**
 * What ends at its offset in the channel that it stands in: every node obeys before it sends anything later. It commits
 * with the change that it tells of, so nothing that is published after that change can come before it.
 */
export type Control =
  /** What somebody's right to this channel was so far, also where that was none: positions from before are void for them. */
  | { type: 'sync.right_ended'; data: { userId: string } }
  /** A session of somebody who may follow this channel. */
  | { type: 'sync.session_ended'; data: { userId: string; sessionId: string } };

export const rightEnded = 'sync.right_ended' satisfies Control['type'];

/** Null for a message for devices, and for a control message of a later version, which this one cannot obey. */
export function controlOf(message: Pick<Message, 'type' | 'data'>): Control | null {
  return message.type === rightEnded || message.type === 'sync.session_ended' ? (message as Control) : null;
}
