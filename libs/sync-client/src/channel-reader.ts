import type { Message, MessagesFrame, Position } from '@soleil/sync-protocol';

/** What a frame means to a reader. */
export type Reading =
  /** It brings `messages`, which are new, and moves the reader to `position`. */
  | { kind: 'advance'; position: Position; messages: readonly Message[]; midStep: boolean; until: Position | null }
  /** Everything it speaks for is known. */
  | { kind: 'duplicate' }
  /** It begins beyond what the reader knows next: something between is missing. */
  | { kind: 'gap'; missingFrom: number };

/**
 * Reads a frame at an offset. Only offsets decide: a frame of a newer epoch continues an older one where it joins without a
 * gap, because the server has vouched for the position when the subscription began (else it would have sent `reset`).
 * A frame that reaches back is trimmed to what is new.
 */
export const readFrame = (offset: number, frame: MessagesFrame): Reading => {
  if (frame.to <= offset) return { kind: 'duplicate' };
  if (frame.from > offset + 1) return { kind: 'gap', missingFrom: offset + 1 };
  return {
    kind: 'advance',
    position: { epoch: frame.epoch, offset: frame.to },
    messages: frame.from === offset + 1 ? frame.messages : frame.messages.filter((message) => message.offset > offset),
    midStep: frame.more === true,
    until: frame.until ?? null,
  };
};
