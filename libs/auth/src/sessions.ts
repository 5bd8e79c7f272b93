import { randomUUID } from 'node:crypto';
import { gathered, type Principal } from '@soleil/bus';
import { errors, jwtVerify, SignJWT } from 'jose';
import { IsNull, type DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AuthError } from './auth-error.js';
import { AuthSession } from './entities/session.entity.js';
import { isId } from './input.js';
import type { SigningKey } from './signing-key.js';
import { lockUser } from './user-lock.js';

/** The only one: what a token's own header says of its algorithm decides nothing. */
const algorithm = 'HS256';

const claims = z.object({ sub: z.guid(), sid: z.guid() });

export interface SessionSettings {
  sessionHours: number;
  clock: () => Date;
}

/** A session just begun. */
export interface OpenedSession {
  sessionId: string;
  token: string;
  /** ISO 8601, on a whole second. */
  expiresAt: string;
}

/**
 * Sessions and the tokens that stand for them. A token says whose it is, the row whether it still counts:
 *
 *     open ──> good ──> expired (by the clock)
 *                └────> ended   (signed out)
 */
export class Sessions {
  private readonly stored = gathered(async (ids: readonly string[]) => {
    const rows = await this.dataSource.query<StoredSession[]>(lookUp, [ids]);
    return new Map(rows.map((row) => [row.id, row]));
  });

  constructor(
    private readonly dataSource: DataSource,
    private readonly key: SigningKey,
    private readonly settings: SessionSettings,
  ) {}

  /** @param alongside done in the same transaction */
  async open(
    userId: string,
    userAgent: string | undefined,
    alongside: (manager: EntityManager) => Promise<void>,
  ): Promise<OpenedSession> {
    const createdAt = this.settings.clock();
    // Tokens expire on whole seconds. Row, token and answer must agree.
    const expiresAtSeconds = Math.floor(createdAt.getTime() / 1000 + this.settings.sessionHours * 3600);
    const expiresAt = new Date(expiresAtSeconds * 1000);
    const sessionId = randomUUID();
    const token = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setSubject(userId)
      .setExpirationTime(expiresAtSeconds)
      .sign(await this.key.get());
    await this.dataSource.transaction(async (manager) => {
      await manager.query(forgetExpired, [userId, createdAt]);
      await manager.insert(AuthSession, {
        id: sessionId,
        userId,
        createdAt,
        expiresAt,
        endedAt: null,
        userAgent: shortened(userAgent),
      });
      await alongside(manager);
    });
    return { sessionId, token, expiresAt: expiresAt.toISOString() };
  }

  /**
   * @param alongside done in the same transaction, last; an error leaves the session as it was
   * @returns whose session this call ended; null where there was nothing to end
   */
  async end(
    sessionId: string,
    alongside: (userId: string, transaction: EntityManager) => Promise<unknown>,
  ): Promise<string | null> {
    if (!isId(sessionId)) return null;
    return this.dataSource.transaction(async (transaction) => {
      const session = await transaction.findOneBy(AuthSession, { id: sessionId, endedAt: IsNull() });
      if (!session) return null;
      await lockUser(transaction, session.userId);
      const endedAt = this.settings.clock();
      // Another call may have ended it while this one waited for the lock.
      const { affected } = await transaction.update(AuthSession, { id: sessionId, endedAt: IsNull() }, { endedAt });
      if (affected !== 1) return null;
      await alongside(session.userId, transaction);
      return session.userId;
    });
  }

  /** @throws AuthError `token_missing`, `token_invalid`, `token_expired`, `session_ended` */
  async verify(token: string): Promise<Principal> {
    if (token === '') throw AuthError.tokenMissing();
    const { sub, sid } = await this.readToken(token);
    const session = await this.stored(sid);
    if (session?.userId !== sub || session.endedAt) throw AuthError.sessionEnded();
    if (session.expiresAt <= this.settings.clock()) throw AuthError.tokenExpired();
    return { userId: sub, sessionId: sid, displayName: session.name, expiresAt: session.expiresAt.toISOString() };
  }

  private async readToken(token: string): Promise<z.output<typeof claims>> {
    const key = await this.key.get();
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        requiredClaims: ['sub', 'sid', 'exp'],
        currentDate: this.settings.clock(),
      });
      return claims.parse(payload);
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw AuthError.tokenExpired(error);
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw AuthError.tokenInvalid(error);
      throw error;
    }
  }
}

interface StoredSession {
  id: string;
  userId: string;
  name: string;
  expiresAt: Date;
  endedAt: Date | null;
}

const shortened = (userAgent: string | undefined): string | null => userAgent?.replaceAll('\0', '').slice(0, 300) || null;

/** Runs for each REST call and each socket, or for many of them at once: two look-ups by primary key each. */
const lookUp = `
  select s.id, s.user_id as "userId", u.name, s.expires_at as "expiresAt", s.ended_at as "endedAt"
  from auth_session s join auth_user u on u.id = s.user_id
  where s.id = any($1)`;

/** Their tokens carry the same expiry, so nobody looks these rows up again. Two sign-ins at once must not wait for each other. */
const forgetExpired = `
  delete from auth_session where id in (
    select id from auth_session where user_id = $1 and expires_at <= $2 for update skip locked)`;
