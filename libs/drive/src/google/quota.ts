import { RateLimiterMemory } from 'rate-limiter-flexible';

export interface QuotaOptions {
  /** What Google grants all users of a project in a minute. Default 1,000,000. */
  unitsPerMinutePerProject: number;
  /** What Google grants one user, a service account for instance, in a minute. Default 325,000. */
  unitsPerMinutePerUser: number;
}

export const quotaDefaults: QuotaOptions = { unitsPerMinutePerProject: 1_000_000, unitsPerMinutePerUser: 325_000 };

/** When a request was let through: a refusal of it says something of the pace at that time. */
export type Grant = number;

interface Waiting {
  units: number;
  grant(): void;
}

const windowMs = 6_000;
/** Any minute touches at most so many windows, so no minute holds more than Google grants. */
const windowsPerMinute = 60_000 / windowMs + 1;
const smallestShare = 1 / 32;

/**
 * Spends the quota of one Google project: never more in a minute than is granted to it and to each of its users, and in turns among
 * the bands, so that the first look at a large one does not hold up the others. Of several processes each has a quota of
 * its own; what they spend too much together, Google's refusals teach them: each refusal halves the pace, and each
 * {@link windowMs} without one gives an eighth of it back.
 */
export class Quota {
  private readonly project: RateLimiterMemory;
  private readonly perUser: number;
  private readonly users = new Map<string, UserQuota>();

  constructor(options: QuotaOptions = quotaDefaults) {
    this.project = limiter(options.unitsPerMinutePerProject);
    this.perUser = options.unitsPerMinutePerUser;
  }

  of(user: string): UserQuota {
    let quota = this.users.get(user);
    if (!quota) this.users.set(user, (quota = new UserQuota(limiter(this.perUser), this.project)));
    return quota;
  }
}

/** One user's part of a {@link Quota}. */
export class UserQuota {
  private readonly queues = new Map<string, Waiting[]>();
  private isGranting = false;
  private share = 1;
  private shareChangedAt = -Infinity;
  private refusedUntil = -Infinity;

  constructor(
    private readonly user: RateLimiterMemory,
    private readonly project: RateLimiterMemory,
  ) {}

  /** Resolves when a request of so many units may go out. @throws the signal's reason when that comes first */
  async take(bandId: string, units: number, signal: AbortSignal): Promise<Grant> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const queue = this.queues.get(bandId) ?? [];
      const leave = (): void => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        units,
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      queue.push(waiting);
      this.queues.set(bandId, queue);
      if (!this.isGranting) void this.grantInTurns();
    });
    return performance.now();
  }

  /** Google refused a request for want of quota. Those that were under way with it halve the pace once together. */
  refused(grant: Grant, retryAfterMs = 0): void {
    const now = performance.now();
    this.refusedUntil = Math.max(this.refusedUntil, now + retryAfterMs);
    if (grant < this.shareChangedAt) return;
    this.share = Math.max(this.share / 2, smallestShare);
    this.shareChangedAt = now;
  }

  /** The part of the quota that is spent at most, of 1: less after refusals. */
  get pace(): number {
    return this.share;
  }

  private async grantInTurns(): Promise<void> {
    this.isGranting = true;
    for (let turn = this.nextTurn(); turn; turn = this.nextTurn()) {
      const waitMs = await this.spend(turn.units);
      if (waitMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        continue;
      }
      // If it gave up meanwhile, the next of its band goes in its place.
      this.queues.get(turn.bandId)?.shift()?.grant();
      this.putLast(turn.bandId);
    }
    this.isGranting = false;
  }

  private nextTurn(): { bandId: string; units: number } | null {
    for (const [bandId, [first]] of this.queues) {
      if (first) return { bandId, units: first.units };
      this.queues.delete(bandId);
    }
    return null;
  }

  private putLast(bandId: string): void {
    const queue = this.queues.get(bandId);
    this.queues.delete(bandId);
    if (queue && queue.length > 0) this.queues.set(bandId, queue);
  }

  /** @returns 0 when the units are spent, else after how long to try again */
  private async spend(units: number): Promise<number> {
    const now = performance.now();
    if (now < this.refusedUntil) return this.refusedUntil - now;
    this.recover(now);
    // At half the pace everything costs twice as much.
    const cost = Math.ceil(units / this.share);
    for (const limiter of [this.user, this.project]) {
      const spent = await limiter.get(key);
      if (spent && spent.consumedPoints > 0 && spent.consumedPoints + cost > limiter.points)
        return Math.max(spent.msBeforeNext, 1);
    }
    await this.user.penalty(key, cost);
    await this.project.penalty(key, cost);
    return 0;
  }

  private recover(now: number): void {
    if (this.share === 1 || now - this.shareChangedAt < windowMs) return;
    this.share = Math.min(1, this.share + 1 / 8);
    this.shareChangedAt = now;
  }
}

/** All that these limiters count is one thing. */
const key = 'units';

function limiter(unitsPerMinute: number): RateLimiterMemory {
  return new RateLimiterMemory({
    points: Math.max(1, Math.floor(unitsPerMinute / windowsPerMinute)),
    duration: windowMs / 1_000,
  });
}
