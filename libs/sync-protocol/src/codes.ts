/**
 * Every code the wire and the REST calls of Sync may answer with. `retryable`: the same call may succeed later, unchanged.
 * `reconnect`: for a code that ends a connection, whether coming back unchanged makes sense.
 */
export const codes = {
  token_missing: {
    status: 401,
    retryable: false,
    reconnect: false,
    remedy: 'Sign in and connect with the token in the handshake.',
  },
  token_invalid: { status: 401, retryable: false, reconnect: false, remedy: 'Sign in again for a new token.' },
  token_expired: { status: 401, retryable: false, reconnect: false, remedy: 'Sign in again for a new token.' },
  session_ended: { status: 401, retryable: false, reconnect: false, remedy: 'The session was signed out. Sign in again.' },
  handshake_invalid: {
    status: 400,
    retryable: false,
    reconnect: false,
    remedy: 'Send auth: { token, deviceId, protocol } in the handshake.',
  },
  protocol_unsupported: {
    status: 400,
    retryable: false,
    reconnect: false,
    remedy: 'Update the client: details.supported lists the versions this server speaks.',
  },
  too_many_devices: {
    status: 429,
    retryable: true,
    reconnect: false,
    remedy: 'Close SOLEil on another device, then connect again.',
  },
  frame_invalid: {
    status: 400,
    retryable: false,
    reconnect: true,
    remedy: 'Send the frame as the protocol describes it; details.issues names what does not fit.',
  },
  frame_too_large: {
    status: 413,
    retryable: false,
    reconnect: true,
    remedy: 'Send less than details.limitBytes in one frame.',
  },
  event_unknown: {
    status: 400,
    retryable: false,
    reconnect: true,
    remedy: 'Send one of the events that details.known lists.',
  },
  channel_forbidden: {
    status: 403,
    retryable: false,
    reconnect: true,
    remedy: 'Subscribe to the channels that GET /sync/channels lists for you.',
  },
  not_subscribed: { status: 409, retryable: false, reconnect: true, remedy: 'Subscribe to the channel first.' },
  already_subscribed: {
    status: 409,
    retryable: false,
    reconnect: true,
    remedy: 'Unsubscribe first, to read from another position.',
  },
  too_many_subscriptions: {
    status: 429,
    retryable: false,
    reconnect: true,
    remedy: 'Unsubscribe from channels that are not needed; details.limit is the most for one connection.',
  },
  ack_ahead: { status: 409, retryable: false, reconnect: true, remedy: 'Acknowledge only what was received.' },
  ack_timeout: {
    status: 408,
    retryable: true,
    reconnect: true,
    remedy: 'Acknowledge what arrives; reconnect and subscribe with the stored position.',
  },
  rate_limited: { status: 429, retryable: true, reconnect: true, remedy: 'Wait details.retryAfterMs, then send again.' },
  replaced: {
    status: 409,
    retryable: false,
    reconnect: false,
    remedy: 'This device connected once more; the newer connection goes on.',
  },
  band_forbidden: { status: 403, retryable: false, reconnect: true, remedy: 'Ask a leader of the band for access.' },
  leader_only: { status: 403, retryable: false, reconnect: true, remedy: 'Ask a leader of the band to do this.' },
  file_unknown: {
    status: 404,
    retryable: false,
    reconnect: true,
    remedy: 'Look the file up in the library again; it may have been removed.',
  },
  message_unknown: {
    status: 404,
    retryable: false,
    reconnect: true,
    remedy: 'Ask about a message that your channels bring; one that was superseded is forgotten after a while.',
  },
  operation_unknown: {
    status: 404,
    retryable: false,
    reconnect: true,
    remedy: 'List the operations with GET /sync/operations.',
  },
  operation_finished: {
    status: 409,
    retryable: false,
    reconnect: true,
    remedy: 'Only an operation that waits or runs can be cancelled; ask for a new one with sync_request.',
  },
  operation_not_dead: {
    status: 409,
    retryable: false,
    reconnect: true,
    remedy: 'List the dead operations with GET /sync/operations?status=dead.',
  },
  request_invalid: {
    status: 400,
    retryable: false,
    reconnect: true,
    remedy: 'Send what the API description at /api/docs asks for; details.issues names what does not fit.',
  },
  message_invalid: {
    status: 400,
    retryable: false,
    reconnect: true,
    remedy: 'Publish what the message schema allows; details.issues names what does not fit.',
  },
  message_too_large: {
    status: 413,
    retryable: false,
    reconnect: true,
    remedy: 'Keep a message under details.limitBytes; send a reference to large data.',
  },
  idempotency_conflict: {
    status: 409,
    retryable: false,
    reconnect: true,
    remedy: 'Use a new idempotency key for another content.',
  },
  publish_overloaded: {
    status: 503,
    retryable: true,
    reconnect: true,
    remedy: 'Publish again in a moment: more is published than the database can store.',
  },
  database_unavailable: {
    status: 503,
    retryable: true,
    reconnect: true,
    remedy: 'Try again in a moment: the server is waiting for its database.',
  },
  shutting_down: { status: 503, retryable: true, reconnect: true, remedy: 'Connect again in a moment.' },
  internal_error: {
    status: 500,
    retryable: true,
    reconnect: true,
    remedy: 'Try again; if it stays, the server log has the cause.',
  },
} as const satisfies Record<string, { status: number; retryable: boolean; reconnect: boolean; remedy: string }>;

export type Code = keyof typeof codes;

export const isCode = (code: unknown): code is Code => typeof code === 'string' && Object.hasOwn(codes, code);
