import { z } from 'zod';
import { wireError } from './sync-error.js';

/** Sent just before the server ends a connection. Where `reconnect` is false, coming back unchanged is refused again. */
export const closing = z.strictObject({ error: wireError, reconnect: z.boolean() });

/** This server is about to stop: come back after `retryAfterMs`, which differs from client to client. */
export const draining = z.strictObject({ retryAfterMs: z.int().min(0) });

export type Closing = z.infer<typeof closing>;
export type Draining = z.infer<typeof draining>;
