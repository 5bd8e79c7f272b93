/** Time as the client sees it. Replaceable, so that no test waits. */
export interface Clock {
  /** Milliseconds since the epoch of Unix. */
  now(): number;
  /** Calls back once, after `delayMs`. @returns what cancels it */
  after(delayMs: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};

/** All of the client's delays, in milliseconds. */
export interface Timings {
  /** A connection that shows is probed this often. Default 3,000. */
  pingEveryMs: number;
  /** A probed connection that says nothing for this long is cut. With `pingEveryMs`: a dead line is noticed in 6 s. Default 3,000. */
  silenceMs: number;
  /** The shortest wait before a new attempt. Default 250. */
  backoffMinMs: number;
  /** The longest wait before a new attempt. Default 8,000. */
  backoffMaxMs: number;
  /** A connection that lived this long was a good one: the backoff starts over. Default 5,000. */
  stableAfterMs: number;
  /** An attempt to connect is given up after this long. Default 10,000. */
  connectTimeoutMs: number;
  /** A server that leaves a frame unanswered for this long is not well: the connection is cut. Default 10,000. */
  answerTimeoutMs: number;
}

export const defaultTimings: Timings = {
  pingEveryMs: 3_000,
  silenceMs: 3_000,
  backoffMinMs: 250,
  backoffMaxMs: 8_000,
  stableAfterMs: 5_000,
  connectTimeoutMs: 10_000,
  answerTimeoutMs: 10_000,
};
