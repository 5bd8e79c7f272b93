import type { z } from 'zod';
import { unfit } from '../unfit.js';

/** What a call was given, as its schema has it. @throws SyncError `request_invalid` */
export function fitted<Schema extends z.ZodType>(schema: Schema, given: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(given ?? {});
  if (!parsed.success) throw unfit('request_invalid', 'The request', parsed.error);
  return parsed.data;
}
