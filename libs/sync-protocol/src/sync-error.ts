import { z } from 'zod';
import { codes, type Code } from './codes.js';

/** A failure as it travels: in an answer, in a `connect_error`'s data, in `closing`, in a REST body. */
export const wireError = z.strictObject({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export type WireError = z.infer<typeof wireError>;

/** The one error of Sync, on the server and on the device. Its code decides remedy, status and whether to try again. */
export class SyncError extends Error {
  readonly remedy: string;
  readonly retryable: boolean;
  readonly status: number;

  constructor(
    readonly code: Code,
    message: string,
    readonly details: Record<string, unknown> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'SyncError';
    this.remedy = codes[code].remedy;
    this.retryable = codes[code].retryable;
    this.status = codes[code].status;
  }

  /** What may be sent: no stack, no cause. */
  toWire(): WireError {
    const details = Object.keys(this.details).length > 0 ? { details: this.details } : {};
    return { code: this.code, message: this.message, remedy: this.remedy, retryable: this.retryable, ...details };
  }
}
