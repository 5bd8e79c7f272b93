import { Logger } from '@nestjs/common';
import { CodedError } from '@soleil/bus';
import { SyncError, type WireError } from '@soleil/sync-protocol';
import { databaseUnavailable, isDatabaseAway } from '../log/database-away.js';

const logger = new Logger('Sync');

/** Turns whatever was thrown into something fit to send: coded, with a remedy, without stack or SQL. The rest goes to the server's log. */
export function toWireError(error: unknown): WireError {
  if (error instanceof SyncError) return error.toWire();
  if (error instanceof CodedError) {
    const { code, message, remedy, retryable, details } = error;
    return { code, message, remedy, retryable, ...(Object.keys(details).length > 0 ? { details } : {}) };
  }
  if (isDatabaseAway(error)) return databaseUnavailable().toWire();
  logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new SyncError('internal_error', 'Something went wrong on the server.').toWire();
}
