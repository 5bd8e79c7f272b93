import { z } from 'zod';
import { answerOf } from './answer.js';
import { channelName } from './channel.js';

const fields = {
  channel: channelName,
  type: z.string().min(1).max(64),
  /** What it is about. Of one type and key only the latest counts, and earlier ones may never be seen. */
  key: z.string().min(1).max(200).optional(),
  data: z.unknown(),
};

/** Tells whoever follows the channel now: a turned page, who is there, how far something has come. Nobody gets it later. */
export const signal = z.strictObject(fields);
export const signalAnswer = answerOf({});

/** `from` is who sent it; absent when the server did. */
export const signalled = z.strictObject({ ...fields, from: z.strictObject({ userId: z.string() }).optional() });

/** Of signals with the same name only the latest counts. */
export const signalName = ({ channel, type, key = '' }: Signal): string => JSON.stringify([channel, type, key]);

export type Signal = z.infer<typeof signal>;
export type Signalled = z.infer<typeof signalled>;
