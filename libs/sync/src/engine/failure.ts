import { CodedError } from '@soleil/bus';
import { codes, SyncError } from '@soleil/sync-protocol';
import type { SyncOperation } from '../entities/sync-operation.js';
import type { ResolvedSyncOptions } from '../options.js';
import { longestPauseMs } from '../queue/band-paces.js';
import type { Failure } from '../queue/settlements.js';

/** Whatever a module threw, it need not be an error. */
export const saidBy = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/**
 * What an error means for the operation that threw it: whether it is tried again, and when. What says nothing of itself is, and nobody is
 * told what it says.
 */
export function failureOf(
  { attempts }: Pick<SyncOperation, 'attempts'>,
  error: unknown,
  options: Pick<ResolvedSyncOptions, 'attempts' | 'retryBaseMs'>,
): Failure {
  const coded = error instanceof CodedError || error instanceof SyncError ? error : null;
  const code = coded?.code ?? 'internal_error';
  // It may quote a file, and the database stores no NUL.
  const message = coded?.message.replaceAll('\0', '␀') ?? 'Something went wrong on the server.';
  const remedy = coded?.remedy ?? codes.internal_error.remedy;
  const backoffMs = Math.min(options.retryBaseMs * 2 ** (attempts - 1) * (0.75 + Math.random() / 2), longestPauseMs);
  const askedMs = coded instanceof CodedError ? coded.retryAfterMs : undefined;
  // What is no number asks for nothing.
  if (askedMs !== undefined && !Number.isNaN(askedMs)) {
    const retryInMs = Math.max(Math.min(askedMs, longestPauseMs), backoffMs);
    return { code, message, remedy, retryInMs, isFree: true };
  }
  const willRetry = (coded?.retryable ?? true) && attempts < options.attempts;
  return { code, message, remedy, retryInMs: willRetry ? backoffMs : null, isFree: false };
}
