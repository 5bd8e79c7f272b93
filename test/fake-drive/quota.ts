import { ApiError } from './api-error.js';
import type { Clock } from './clock.js';

export interface QuotaLimits {
  /** Units per minute and user. Default 325,000. */
  perUser: number;
  /** Units per minute of all users. Default 1,000,000. */
  perProject: number;
}

export const googleLimits: QuotaLimits = { perUser: 325_000, perProject: 1_000_000 };

/** How a spent quota is told. Google uses both. */
export interface QuotaAnswer {
  /** Default 403. */
  status: 403 | 429;
  /** Seconds, as a `Retry-After` header; none by default, as Google sends none as a rule. */
  retryAfterS?: number;
}

const windowMs = 60_000;

/**
 * Counts units and refuses what is beyond them. The minute slides: in no sixty seconds whatever may more be spent. That
 * is stricter than minutes by the clock, so who passes here passes both. What is refused costs nothing.
 */
export class Quota {
  private readonly users = new Map<string, Window>();
  private readonly project = new Window();
  /** How many requests were refused. */
  refusals = 0;
  answer: QuotaAnswer = { status: 403 };

  constructor(
    private readonly clock: Clock,
    readonly limits: QuotaLimits,
  ) {}

  /** @throws ApiError 403 `userRateLimitExceeded` or `rateLimitExceeded`, or 429 */
  spend(user: string, units: number): void {
    const now = this.clock.now();
    const window = this.window(user);
    if (window.spent(now) + units > this.limits.perUser) this.refuse('userRateLimitExceeded', 'User Rate Limit Exceeded');
    if (this.project.spent(now) + units > this.limits.perProject) this.refuse('rateLimitExceeded', 'Rate Limit Exceeded');
    window.add(now, units);
    this.project.add(now, units);
  }

  /** Units this user was charged, ever. */
  spentBy(user: string): number {
    return this.window(user).total;
  }

  /** Units all users were charged, ever. */
  get spent(): number {
    return this.project.total;
  }

  private window(user: string): Window {
    let window = this.users.get(user);
    if (!window) this.users.set(user, (window = new Window()));
    return window;
  }

  private refuse(reason: string, message: string): never {
    this.refusals += 1;
    throw quotaExceeded(this.answer, reason, message);
  }
}

export function quotaExceeded({ status, retryAfterS }: QuotaAnswer, reason: string, message: string): ApiError {
  const headers: Record<string, string> = retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) };
  return status === 429
    ? new ApiError(429, 'rateLimitExceeded', 'Too Many Requests', { headers, statusName: 'RESOURCE_EXHAUSTED' })
    : new ApiError(403, reason, message, { domain: 'usageLimits', headers });
}

/** The units of the last minute, and of all time. Entries of one millisecond are one. */
class Window {
  private readonly entries: { at: number; units: number }[] = [];
  private first = 0;
  private sum = 0;
  total = 0;

  spent(now: number): number {
    for (; this.first < this.entries.length; this.first += 1) {
      const { at, units } = this.entries[this.first]!;
      if (at > now - windowMs) break;
      this.sum -= units;
    }
    if (this.first > 10_000) {
      this.entries.splice(0, this.first);
      this.first = 0;
    }
    return this.sum;
  }

  add(at: number, units: number): void {
    const last = this.entries.at(-1);
    if (last?.at === at && this.first < this.entries.length) last.units += units;
    else this.entries.push({ at, units });
    this.sum += units;
    this.total += units;
  }
}
