import { z } from 'zod';
import { answerOf } from './answer.js';
import { storable } from './storable.js';

/** Asks for a sync operation. Members ask for a file or a delta; `full` is for leaders. */
export const syncRequest = z.strictObject({
  scope: z.enum(['file', 'band']),
  /** Of the file or of the band. */
  id: z.string().min(1).max(64).regex(storable),
  mode: z.enum(['delta', 'full']),
});

export const syncRequestAnswer = answerOf({ operationId: z.string() });

export type SyncRequest = z.infer<typeof syncRequest>;
