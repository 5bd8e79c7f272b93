import { z } from 'zod';

/** An offset within a channel: 1 for its first message, gap-free from there; 0 stands before the first. */
export const offset = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/**
 * Which history of the log an offset belongs to. A new one begins with each sequencer that takes office, so an offset
 * of a history that was rolled back (a restored backup) is told from the same number in the new one. Empty for a channel
 * that has no message yet.
 */
export const epoch = z.string().max(64);

/** How far a reader has come in one channel. It stays good as long as its epoch is known there and reached that far. */
export const position = z.strictObject({ epoch, offset });

export type Position = z.infer<typeof position>;
