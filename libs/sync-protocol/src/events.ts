import { closing, draining } from './closing.js';
import { pace, ping, pong } from './handshake.js';
import { have, haveAnswer } from './have.js';
import { deflatedFrame, messagesFrame } from './messages.js';
import { signal, signalAnswer, signalled } from './signal.js';
import { ack, ackAnswer, reset, revoked, subscribe, subscribeAnswer, unsubscribe, unsubscribeAnswer } from './subscribe.js';
import { syncRequest, syncRequestAnswer } from './sync-request.js';

/** What a client may send, and how each is answered. `ping` is answered by the event `pong`. */
export const up = {
  subscribe: { frame: subscribe, answer: subscribeAnswer },
  unsubscribe: { frame: unsubscribe, answer: unsubscribeAnswer },
  ack: { frame: ack, answer: ackAnswer },
  have: { frame: have, answer: haveAnswer },
  sync_request: { frame: syncRequest, answer: syncRequestAnswer },
  signal: { frame: signal, answer: signalAnswer },
  ping: { frame: ping, answer: pong },
} as const;

/** What a server may send. */
export const down = {
  pace,
  messages: messagesFrame,
  deflated: deflatedFrame,
  reset,
  revoked,
  signal: signalled,
  closing,
  draining,
  pong,
} as const;

export type UpEvent = keyof typeof up;
export type DownEvent = keyof typeof down;
