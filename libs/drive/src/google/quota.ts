import { RateLimiterMemory } from 'rate-limiter-flexible';
import { Gate } from '../pause.js';
import { units } from './units.js';

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

/**
 * A minute is spent in so many windows of a second. Any sixty seconds touch one more of them, and requests whose ways to
 * Google take longer or shorter, by a second at most, another one. 60 of 62 leave 97 % of the quota; 10 of 12 would
 * leave 83 %.
 */
const mostWindows = 60;
const smallestShare = 1 / 32;
/** How long after a refusal, and after each step of recovering from it, the pace is raised. */
const recoveryMs = 6_000;

/**
 * Spends the quota of one Google project: never more in a minute than is granted to it and to each of its users. Who waits
 * has turns, the users among each other and the bands of each user, so that the first look at a large band does not hold up the
 * others. Of several processes each has a quota of its own; what they spend too much together, Google's refusals teach
 * them: each refusal halves the pace, and each {@link recoveryMs} without one gives an eighth of it back.
 */
export class Quota {
  private readonly project: RateLimiterMemory;
  private readonly perUser: number;
  private readonly users = new Map<string, UserQuota>();
  /** Those who wait, in the order of their turns. */
  private readonly turns = new Set<UserQuota>();
  private isGranting = false;
  private news = new Gate();

  constructor(options: QuotaOptions = quotaDefaults) {
    this.project = limiter(options.unitsPerMinutePerProject);
    this.perUser = options.unitsPerMinutePerUser;
  }

  of(user: string): UserQuota {
    let quota = this.users.get(user);
    if (!quota) this.users.set(user, (quota = new UserQuota(limiter(this.perUser), (waiting) => this.line(waiting))));
    return quota;
  }

  private line(user: UserQuota): void {
    this.turns.add(user);
    this.news.open();
    if (!this.isGranting) void this.grantInTurns();
  }

  private async grantInTurns(): Promise<void> {
    this.isGranting = true;
    while (this.turns.size > 0) {
      this.news = new Gate();
      const waitMs = await this.grantAll();
      if (this.turns.size === 0) break;
      const timer = setTimeout(this.news.open, waitMs);
      await this.news.opened;
      clearTimeout(timer);
    }
    this.isGranting = false;
  }

  /** Only this spends, and one request after the other: what it looks up still holds when it spends. @returns when to go on */
  private async grantAll(): Promise<number> {
    let waitMs = Infinity;
    // Who had a turn is put last, and so met again in this loop.
    for (const user of this.turns) {
      const cost = user.nextCost();
      if (cost === null) {
        this.turns.delete(user);
        continue;
      }
      const projectMs = await msUntil(this.project, cost);
      if (projectMs > 0) return projectMs;
      const userMs = await user.msUntil(cost);
      waitMs = Math.min(waitMs, userMs || Infinity);
      if (userMs > 0) continue;
      await this.project.penalty(key, cost);
      await user.grantNext(cost);
      this.turns.delete(user);
      this.turns.add(user);
    }
    return waitMs;
  }
}

/** One user's part of a {@link Quota}. */
export class UserQuota {
  private readonly queues = new Map<string, Waiting[]>();
  private share = 1;
  private shareChangedAt = -Infinity;
  private refusedUntil = -Infinity;

  constructor(
    private readonly limiter: RateLimiterMemory,
    private readonly line: (user: UserQuota) => void,
  ) {}

  /** Resolves when a request of so many units may go out. @throws the signal's reason when that comes first */
  async take(bandId: string, cost: number, signal: AbortSignal): Promise<Grant> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const queue = this.queues.get(bandId) ?? [];
      const leave = (): void => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        units: cost,
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      queue.push(waiting);
      this.queues.set(bandId, queue);
      this.line(this);
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

  /** What the request costs whose turn it is; null when nobody waits. */
  nextCost(): number | null {
    for (const [bandId, [first]] of this.queues) {
      // At half the pace everything costs twice as much.
      if (first) return Math.ceil(first.units / this.share);
      this.queues.delete(bandId);
    }
    return null;
  }

  /** After how long this user may spend so much. */
  async msUntil(cost: number): Promise<number> {
    const now = performance.now();
    if (now < this.refusedUntil) return this.refusedUntil - now;
    this.recover(now);
    return msUntil(this.limiter, cost);
  }

  /** Lets the request go whose turn it is; if it gave up meanwhile, the one behind it goes in its place. */
  async grantNext(cost: number): Promise<void> {
    await this.limiter.penalty(key, cost);
    const [turn] = this.queues;
    if (!turn) return;
    const [bandId, queue] = turn;
    queue.shift()?.grant();
    this.queues.delete(bandId);
    if (queue.length > 0) this.queues.set(bandId, queue);
  }

  private recover(now: number): void {
    if (this.share === 1 || now - this.shareChangedAt < recoveryMs) return;
    this.share = Math.min(1, this.share + 1 / 8);
    this.shareChangedAt = now;
  }
}

/** All that these limiters count is one thing. */
const key = 'units';

function limiter(unitsPerMinute: number): RateLimiterMemory {
  // Fewer where a window would be too small for a download.
  const windows = Math.min(mostWindows, Math.max(1, Math.floor(unitsPerMinute / units.download) - 2));
  return new RateLimiterMemory({ points: Math.max(1, Math.floor(unitsPerMinute / (windows + 2))), duration: 60 / windows });
}

/** After how long so much may be spent. What is more than a window holds has a window of its own. */
async function msUntil(limiter: RateLimiterMemory, cost: number): Promise<number> {
  const spent = await limiter.get(key);
  if (!spent || spent.consumedPoints === 0 || spent.consumedPoints + cost <= limiter.points) return 0;
  return Math.max(spent.msBeforeNext, 1);
}
