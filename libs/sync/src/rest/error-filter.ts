import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { CodedError } from '@soleil/bus';
import { SyncError, type WireError } from '@soleil/sync-protocol';
import { toWireError } from '../gateway/wire-error.js';
import { isDatabaseAway } from '../log/database-away.js';

interface Response {
  headersSent: boolean;
  setHeader(name: string, value: string): void;
  status(status: number): { json(body: unknown): void };
  destroy(): void;
}

/**
 * Every failure of a REST call as `{ error: { code, message, remedy, retryable, details? } }`, the same shape as on the wire. Where it says
 * how long to wait, the header `Retry-After` does too.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    // A body that breaks off must not look whole.
    if (response.headersSent) return response.destroy();
    const waitMs = waitMsOf(error);
    if (waitMs !== undefined) response.setHeader('retry-after', String(Math.ceil(waitMs / 1_000)));
    response.status(statusOf(error)).json({ error: bodyOf(error) });
  }
}

function statusOf(error: unknown): number {
  if (error instanceof CodedError || error instanceof SyncError) return error.status;
  if (error instanceof HttpException) return error.getStatus();
  return isDatabaseAway(error) ? 503 : 500;
}

function waitMsOf(error: unknown): number | undefined {
  if (!(error instanceof CodedError || error instanceof SyncError)) return undefined;
  const { retryAfterMs = error instanceof CodedError ? error.retryAfterMs : undefined } = error.details;
  return typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
}

function bodyOf(error: unknown): WireError {
  if (!(error instanceof HttpException)) return toWireError(error);
  const status = error.getStatus();
  return {
    code: status === 404 ? 'route_unknown' : 'request_invalid',
    message: error.message,
    remedy: 'See the API description at /api/docs.',
    retryable: false,
  };
}
