import { z } from 'zod';
import { answerOf } from './answer.js';
import { channelName } from './channel.js';
import { storable } from './storable.js';

/** Anything that a message's key may be, but for what no database stores. */
const key = z.string().min(1).max(200).regex(storable);

const sha256 = z.string().regex(/^[\da-f]{64}$/, 'must be 64 hex digits in lower case');

/**
 * Which of a channel's files are on the device: the SHA-256 of bytes that are there, computed from them, or null for a file
 * that is not there, or no more. Only what changed needs to be said; what was said before stands, over connections too.
 */
export const have = z.strictObject({
  channel: channelName,
  items: z
    .array(z.strictObject({ key, hash: sha256.nullable() }))
    .min(1)
    .max(100),
});

/** Once it is stored. */
export const haveAnswer = answerOf({});

export type Have = z.infer<typeof have>;
