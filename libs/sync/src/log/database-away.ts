import { SyncError } from '@soleil/sync-protocol';

/** What drivers say when the database cannot be reached or is going down. */
const codes = /^(E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)|57P0[123]|08\d{3}|53300)$/;
const messages =
  /Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|Driver not Connected|runner already released/i;

export function isDatabaseAway(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return (typeof code === 'string' && codes.test(code)) || (typeof message === 'string' && messages.test(message));
}

/** @returns SyncError `database_unavailable` for whatever says so; everything else as it is */
export function translated(error: unknown): unknown {
  return isDatabaseAway(error) ? databaseUnavailable(error) : error;
}

export function databaseUnavailable(cause?: unknown): SyncError {
  return new SyncError('database_unavailable', 'The server cannot reach its database just now.', {}, { cause });
}
