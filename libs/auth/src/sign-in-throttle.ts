import type { DataSource, EntityManager } from 'typeorm';
import { AuthError } from './auth-error.js';

const attemptLimit = 10;
const windowMs = 5 * 60_000;

/** How many outdated logins one failure sweeps away: more than it can add. */
const sweepSize = 20;

/**
 * Ten attempts per login that do not succeed, in any five minutes; whatever comes above that is refused unseen. An attempt
 * is counted before its password is looked at, so neither many at once nor a crash gets somebody a free one; success
 * forgets them all. Refused attempts do not count, so the owner is locked out for five minutes at most.
 */
export class SignInThrottle {
  private readonly lastTurns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: () => Date,
  ) {}

  /** Does one login's work one after another, so that ten devices of one user that sign in together are no ten failures. */
  async inTurn<Result>(login: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.lastTurns.get(login) ?? Promise.resolve()).then(work);
    const end = turn.catch(() => undefined);
    this.lastTurns.set(login, end);
    try {
      return await turn;
    } finally {
      if (this.lastTurns.get(login) === end) this.lastTurns.delete(login);
    }
  }

  /** Counts an attempt. @throws AuthError `too_many_attempts` */
  async admit(login: string): Promise<void> {
    const now = this.clock();
    const counted = await this.dataSource.query<unknown[]>(admission, [login, now, windowStart(now), attemptLimit]);
    if (counted.length > 0) return;
    const [row] = await this.dataSource.query<[{ oldest: Date | null }]>(oldestAttempt, [login, windowStart(now)]);
    const retryAfterMs = row.oldest ? row.oldest.getTime() + windowMs - now.getTime() : 0;
    throw AuthError.tooManyAttempts(Math.max(1, retryAfterMs));
  }

  /** Called in the transaction of the success. */
  async forgive(manager: EntityManager, login: string): Promise<void> {
    await manager.query(`delete from auth_attempts where login = $1`, [login]);
  }

  /** Keeps the table small, whatever logins are tried. */
  async sweep(): Promise<void> {
    await this.dataSource.query(sweep, [windowStart(this.clock()), sweepSize]);
  }
}

const windowStart = (now: Date): Date => new Date(now.getTime() - windowMs);

/** Returns a row where the attempt was counted, none where the login has had its ten. */
const admission = `
  insert into auth_attempts as a (login, attempted_at, last_attempted_at) values ($1, array[$2::timestamptz], $2)
  on conflict (login) do update set
    attempted_at = array(select t from unnest(a.attempted_at) t where t > $3) || $2::timestamptz,
    last_attempted_at = $2
  where (select count(*) from unnest(a.attempted_at) t where t > $3) < $4
  returning login`;

const oldestAttempt = `
  select min(t) as oldest from auth_attempts a, unnest(a.attempted_at) t where a.login = $1 and t > $2`;

/** Skips what is locked: two sweeps must not wait for each other. */
const sweep = `
  delete from auth_attempts where login in (
    select login from auth_attempts where last_attempted_at <= $1 order by last_attempted_at limit $2 for update skip locked)`;
