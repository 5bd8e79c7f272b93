import { z } from 'zod';
import { wireError } from './sync-error.js';

type AnswerOk<Shape extends z.ZodRawShape> = z.ZodObject<{ ok: z.ZodLiteral<true> } & Shape, z.core.$strict>;

const refusal = z.strictObject({ ok: z.literal(false), error: wireError });

/** Every event a client sends is acknowledged with one of these two. */
export const answerOf = <Shape extends z.ZodRawShape>(shape: Shape): z.ZodUnion<[AnswerOk<Shape>, typeof refusal]> =>
  z.union([z.strictObject({ ok: z.literal(true), ...shape }), refusal]);
