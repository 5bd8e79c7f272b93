import { SyncError } from '@soleil/sync-protocol';
import { z } from 'zod';

/** What a call was given, as its schema has it. @throws SyncError `request_invalid` */
export function fitted<Schema extends z.ZodType>(schema: Schema, given: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(given ?? {});
  if (!parsed.success)
    throw new SyncError('request_invalid', `The request does not fit: ${z.prettifyError(parsed.error)}`, {
      issues: parsed.error.issues,
    });
  return parsed.data;
}
