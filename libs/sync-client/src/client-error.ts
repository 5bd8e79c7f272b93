import { codes, isCode, type Code, type WireError } from '@soleil/sync-protocol';

/** What goes wrong on the device itself. Everything else carries a code of the protocol. */
const clientRemedies = {
  connection_lost: 'Nothing to do: the client connects again by itself.',
  connection_silent: 'Nothing to do: the client connects again by itself.',
  answer_missing: 'Nothing to do: the client connects again by itself.',
  not_connected: 'Wait until the connection is back, then try again.',
  token_unavailable: 'Nothing to do: the client asks for a token again by itself.',
  frame_unreadable: 'If it stays, update the client: it does not understand what the server sends.',
  store_failed: 'Free some storage on this device; the client tries again by itself.',
} as const;

export type ClientCode = keyof typeof clientRemedies;

/** An error in the wire's shape, of the device's own making. */
export const clientError = (code: ClientCode, message: string): WireError => ({
  code,
  message,
  remedy: clientRemedies[code],
  retryable: true,
});

/** What a promise of the client rejects with: `code` is the protocol's, or a {@link ClientCode}. */
export class SyncClientError extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly retryable: boolean;
  readonly details: Record<string, unknown>;

  constructor(error: WireError, options?: { cause?: unknown }) {
    super(error.message, options);
    this.name = 'SyncClientError';
    this.code = error.code;
    this.remedy = error.remedy;
    this.retryable = error.retryable;
    this.details = error.details ?? {};
  }
}

/** Whether coming back unchanged makes sense after this error. A code of a newer server decides by `retryable`. */
export const mayReconnect = (error: WireError): boolean =>
  isCode(error.code) ? codes[error.code].reconnect : error.retryable;

const tokenCodes: readonly string[] = ['token_missing', 'token_invalid', 'token_expired'] satisfies Code[];

/** Whether another token would make the difference. */
export const isAboutToken = (error: WireError): boolean => tokenCodes.includes(error.code);
