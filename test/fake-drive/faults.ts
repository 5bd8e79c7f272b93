import { ApiError } from './api-error.js';
import type { Operation } from './operation.js';
import { quotaExceeded } from './quota.js';

/** A request, as far as a fault may choose by it. */
export interface RequestMatch {
  operation?: Operation;
  fileId?: string;
  user?: string;
}

export interface FaultyAnswer {
  status: 403 | 404 | 429 | 500 | 502 | 503 | 504;
  /** Of a 403, `rateLimitExceeded` by default: that and `userRateLimitExceeded` are worth another try, others are not. */
  reason?: string;
  /** Seconds, as a `Retry-After` header. */
  retryAfterS?: number;
}

/** Holds requests until it is opened. */
export class RequestGate {
  open: () => void = () => undefined;
  arrive: () => void = () => undefined;
  /** Resolves when the first request stands here. */
  readonly arrived = new Promise<void>((resolve) => (this.arrive = resolve));
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** All that is to happen to one request. */
export interface Effect {
  gate?: RequestGate;
  error?: ApiError;
  /** After how many bytes of the body the connection breaks. */
  cutAfterBytes?: number;
  /** What is answered as if it were the header `Range` of the request. */
  range?: string;
}

interface Fault {
  match: RequestMatch;
  timesLeft: number;
  effect: Effect;
}

/** What goes wrong, on demand: by request and by count, never by time or by chance. */
export class Faults {
  private faults: Fault[] = [];
  private readonly gates: RequestGate[] = [];

  /** The next `times` matching requests, one by default, are answered so. They cost no quota. */
  answer(match: RequestMatch, answer: FaultyAnswer, times = 1): void {
    this.add(match, times, { error: errorOf(answer) });
  }

  /** Matching requests, all or the next `times`, wait until the gate is opened. */
  hold(match: RequestMatch, times = Infinity): RequestGate {
    const gate = new RequestGate();
    this.gates.push(gate);
    this.add(match, times, { gate });
    return gate;
  }

  /** The connection of the next `times` downloads, one by default, breaks after so many bytes of the body. */
  cut(match: Omit<RequestMatch, 'operation'>, cutAfterBytes: number, times = 1): void {
    this.add({ ...match, operation: 'files.download' }, times, { cutAfterBytes });
  }

  /** The next download is answered as if this part had been asked for; with the whole where nobody understands it. */
  answerPart(match: Omit<RequestMatch, 'operation'>, range: string): void {
    this.add({ ...match, operation: 'files.download' }, 1, { range });
  }

  /** All is well again, and what is held is let go. */
  clear(): void {
    for (const gate of this.gates.splice(0)) gate.open();
    this.faults = [];
  }

  /** What hits this request: of each kind of fault the oldest that matches, which is used up by it. */
  take(request: RequestMatch): Effect {
    const effect: Effect = {};
    for (const fault of this.faults) {
      const isNews = Object.keys(fault.effect).every((kind) => !(kind in effect));
      if (!isNews || !agrees(fault.match, request)) continue;
      fault.timesLeft -= 1;
      Object.assign(effect, fault.effect);
    }
    this.faults = this.faults.filter(({ timesLeft }) => timesLeft > 0);
    return effect;
  }

  private add(match: RequestMatch, timesLeft: number, effect: Effect): void {
    this.faults.push({ match, timesLeft, effect });
  }
}

function agrees(match: RequestMatch, request: RequestMatch): boolean {
  return (Object.keys(match) as (keyof RequestMatch)[]).every((part) => match[part] === request[part]);
}

function errorOf({ status, reason = 'rateLimitExceeded', retryAfterS }: FaultyAnswer): ApiError {
  if (status === 429) return quotaExceeded({ status, retryAfterS }, reason, 'Rate Limit Exceeded');
  if (status === 403 && /ateLimitExceeded$/.test(reason)) {
    return quotaExceeded({ status, retryAfterS }, reason, 'Rate Limit Exceeded');
  }
  const headers: Record<string, string> = retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) };
  if (status === 403) return new ApiError(403, reason, 'The user does not have sufficient permissions.', { headers });
  if (status === 404) return new ApiError(404, 'notFound', 'File not found.', { headers });
  return new ApiError(status, status === 500 ? 'internalError' : 'backendError', 'Backend Error', { headers });
}
