import { CodedError } from '@soleil/bus';

/** Every code Drive fails with: its HTTP status, whether the same call may succeed later, and what to do about it. */
const failures = {
  access_denied: {
    status: 403,
    retryable: false,
    remedy: "Share the band's folder, and all in it, with the account that the platform uses, downloads included.",
  },
  band_unknown: { status: 404, retryable: false, remedy: 'Connect the band to a folder first.' },
  credential_revoked: {
    status: 503,
    retryable: true,
    remedy: 'Give the platform a new key or refresh token of its account; what is known stays until then.',
  },
  drive_busy: { status: 503, retryable: true, remedy: 'Nothing is to be done: it is tried again when the drive allows it.' },
  drive_unreachable: {
    status: 503,
    retryable: true,
    remedy: 'Look whether the platform reaches the drive; it is tried all the time.',
  },
  file_unknown: { status: 404, retryable: false, remedy: 'List the files of the band again.' },
  file_removed: { status: 410, retryable: false, remedy: 'List the files of the band again.' },
  file_too_large: {
    status: 413,
    retryable: false,
    remedy: 'Replace it by a smaller file, or raise the option "maxFileBytes".',
  },
  folder_missing: {
    status: 503,
    retryable: true,
    remedy: 'Bring the folder back (is its disk mounted?); it is looked for all the time.',
  },
  link_broken: { status: 409, retryable: false, remedy: 'Put a file where the link points to, or remove the link.' },
  link_leaves_folder: {
    status: 403,
    retryable: false,
    remedy: "Put a copy of the file into the band's folder in place of the link.",
  },
  not_readable: {
    status: 409,
    retryable: true,
    remedy: 'Give the platform permission to read this file and the folders above it.',
  },
  options_invalid: { status: 500, retryable: false, remedy: 'Correct the option of DriveModule that the message names.' },
  path_invalid: {
    status: 400,
    retryable: false,
    remedy: 'Use a path inside the folder, with "/" between its parts and without "..".',
  },
  provider_unknown: { status: 400, retryable: false, remedy: 'Register the provider in the options of DriveModule.' },
  range_invalid: { status: 416, retryable: false, remedy: 'Ask for bytes that the file has.' },
  revision_gone: {
    status: 409,
    retryable: true,
    remedy: 'Ask for the present state of the file, then for the bytes of that revision.',
  },
  settings_invalid: {
    status: 400,
    retryable: false,
    remedy: 'Give what the provider asks for: the absolute path of a folder, or the id of one.',
  },
  webhook_invalid: {
    status: 400,
    retryable: false,
    remedy: 'Only the drive itself may post here, as it was subscribed to.',
  },
  webhook_unknown: { status: 404, retryable: false, remedy: 'End this subscription: nobody follows it any more.' },
} as const;

export type DriveErrorCode = keyof typeof failures;

/** What Drive throws on purpose. `message` and `remedy` are fit to be shown to people. */
export class DriveError extends CodedError {
  declare readonly code: DriveErrorCode;

  constructor(
    code: DriveErrorCode,
    message: string,
    extra: { details?: Record<string, unknown>; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super({ code, message, ...failures[code], ...extra });
  }
}
