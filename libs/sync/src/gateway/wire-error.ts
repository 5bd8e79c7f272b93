import { Logger } from '@nestjs/common';
import { CodedError } from '@soleil/bus';
import { SyncError, type WireError } from '@soleil/sync-protocol';

const logger = new Logger('Sync');

/** What drivers say when the database cannot be reached or is going down. */
const databaseAway = /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|^57P0[123]$|^08\d{3}$|^53300$/;

/** Turns whatever was thrown into something fit to send: coded, with a remedy, without stack or SQL. The rest goes to the server's log. */
export function toWireError(error: unknown): WireError {
  if (error instanceof SyncError) return error.toWire();
  if (error instanceof CodedError) {
    const { code, message, remedy, retryable, details } = error;
    return { code, message, remedy, retryable, ...(Object.keys(details).length > 0 ? { details } : {}) };
  }
  if (isDatabaseAway(error)) {
    return new SyncError('database_unavailable', 'The server cannot reach its database just now.').toWire();
  }
  logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new SyncError('internal_error', 'Something went wrong on the server.').toWire();
}

export function isDatabaseAway(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return (
    (typeof code === 'string' && databaseAway.test(code)) ||
    (typeof message === 'string' && /Connection terminated|Client has encountered a connection error/.test(message))
  );
}
