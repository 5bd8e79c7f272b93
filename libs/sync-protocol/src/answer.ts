import { z } from 'zod';
import { wireError } from './sync-error.js';

/** Every event a client sends is acknowledged with one of these two. */
export const answerOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.union([z.strictObject({ ok: z.literal(true), ...shape }), z.strictObject({ ok: z.literal(false), error: wireError })]);
