import { gaxios } from 'google-auth-library';
import { DriveError } from '../drive-error.js';

/** What a request to Google failed with. */
export interface Failure {
  error: DriveError;
  /** HTTP status; 0 where no answer came. */
  status: number;
  /** `rateLimitExceeded`, `notFound`, `invalid_grant`; empty where none is given. */
  reason: string;
}

/** Nobody could take back a wait of a year, and no timer lasts that long. */
const longestRetryMs = 3_600_000;
const quotaReasons = new Set(['rateLimitExceeded', 'userRateLimitExceeded']);
/** Of the token endpoint: the key was deleted, the consent withdrawn, the account closed. */
const credentialReasons = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client', 'deleted_client']);

/** Says what a failure means for the platform. What is no failure of a request is thrown on as it is. */
export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof gaxios.GaxiosError)) throw thrown;
  const status = thrown.response?.status ?? 0;
  const reason = reasonOf(thrown.response?.data);
  return { status, reason, error: meaningOf(thrown, status, reason) };
}

/** Whether a failure says that the quota is spent. */
export function isQuotaFailure({ status, reason }: Failure): boolean {
  return status === 429 || (status === 403 && quotaReasons.has(reason));
}

function meaningOf(cause: gaxios.GaxiosError, status: number, reason: string): DriveError {
  // An address for notifications that Google does not accept is refused with 401 as well, and a reason of its own.
  if (credentialReasons.has(reason) || (status === 401 && !reason.startsWith('push.')))
    return new DriveError('credential_revoked', 'Google does not accept the credential of the platform any more.', {
      cause,
    });
  const retryAfterMs = retryAfterMsOf(cause.response?.headers.get('retry-after') ?? null);
  if (isQuotaFailure({ status, reason } as Failure))
    return new DriveError('drive_busy', "Google's quota is spent for the moment.", { retryAfterMs, cause });
  if (status === 0 || status >= 500)
    return new DriveError('drive_unreachable', 'Google Drive does not answer as it should.', { retryAfterMs, cause });
  // 416: the file is shorter by now than what is asked for.
  if (status === 404 || status === 416)
    return new DriveError('revision_gone', 'Google Drive does not have this any more.', { cause });
  return new DriveError('access_denied', `Google Drive refuses this (${reason || status}).`, {
    details: { reason, status },
    cause,
  });
}

/** Of a JSON body, also when it was read as text: what is downloaded is not parsed. */
function reasonOf(data: unknown): string {
  const body = typeof data === 'string' ? parsed(data) : data;
  const error = (body as { error?: string | { errors?: { reason?: string }[]; status?: string } } | null | undefined)?.error;
  return typeof error === 'string' ? error : (error?.errors?.[0]?.reason ?? error?.status ?? '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Seconds, or a date; an hour at most. */
function retryAfterMsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), longestRetryMs);
}
