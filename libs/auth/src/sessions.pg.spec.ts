import { createSecretKey, randomUUID, type KeyObject } from 'node:crypto';
import { base64url, SignJWT, UnsecuredJWT } from 'jose';
import type { TestDatabase } from '../../../test/support/database.js';
import { authDatabase, hours, startPlatform, TestClock, type Platform } from '../test/platform.js';
import type { SignedIn } from './auth.service.js';

/** Long enough for HS512 as well. */
const secret = 'a secret of thirty-two characters and more, sixty-four of them in all';
const key = createSecretKey(secret, 'utf8');

let database: TestDatabase;
let platform: Platform;
let clock: TestClock;
let ella: SignedIn;
beforeEach(async () => {
  database = await authDatabase();
  clock = new TestClock();
  platform = await startPlatform(database.url, { secret, clock: clock.read, sessionHours: 2 });
  await platform.auth.createUser({ login: 'ella', name: 'Ella Brass', password: 'blue in green' });
  ella = await platform.auth.signIn({ login: 'ella', password: 'blue in green' });
});
afterEach(async () => {
  await platform.app.close();
  await database.drop();
});

const verify = (token: string) => platform.auth.verify(token);

/** As Auth would issue it, but for what the test changes. */
function forge({
  alg = 'HS256',
  by = key,
  sid = ella.sessionId,
  sub = ella.user.userId,
}: {
  alg?: string;
  by?: KeyObject;
  sid?: string;
  sub?: string;
}): Promise<string> {
  const expiresAt = Math.floor(clock.read().getTime() / 1000) + 3600;
  return new SignJWT({ sid }).setProtectedHeader({ alg, typ: 'JWT' }).setSubject(sub).setExpirationTime(expiresAt).sign(by);
}

describe('a token is refused as invalid', () => {
  const invalid = { code: 'token_invalid', status: 401, retryable: false, remedy: 'Sign in again.' };

  it('when another key signed it', async () => {
    const by = createSecretKey('another secret of thirty-two characters', 'utf8');
    await expect(verify(await forge({ by }))).rejects.toMatchObject(invalid);
  });

  it('when it claims to need no signature', async () => {
    const unsigned = new UnsecuredJWT({ sid: ella.sessionId }).setSubject(ella.user.userId).setExpirationTime('1h').encode();
    await expect(verify(unsigned)).rejects.toMatchObject(invalid);
    const [, payload] = ella.token.split('.');
    const header = base64url.encode(JSON.stringify({ alg: 'none', typ: 'JWT' }));
    await expect(verify(`${header}.${payload}.`)).rejects.toMatchObject(invalid);
  });

  it('when it names another algorithm, though the key is right', async () => {
    await expect(verify(await forge({ alg: 'HS512' }))).rejects.toMatchObject(invalid);
    await expect(verify(await forge({ alg: 'HS256' }))).resolves.toMatchObject({ displayName: 'Ella Brass' });
  });

  it('when its payload or signature was altered', async () => {
    const [header, payload, signature] = ella.token.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const altered = base64url.encode(JSON.stringify({ ...claims, sub: randomUUID() }));
    await expect(verify(`${header}.${altered}.${signature}`)).rejects.toMatchObject(invalid);
    await expect(verify(`${header}.${payload}.${signature.slice(0, -4)}AAAA`)).rejects.toMatchObject(invalid);
    await expect(verify(`${header}.${payload}.`)).rejects.toMatchObject(invalid);
  });

  it('when it is no token at all', async () => {
    for (const token of ['nonsense', '..', 'a.b.c', 'ä.ö.ü', '\0', ' ', 'e30.e30.e30', 'x'.repeat(100_000)]) {
      await expect(verify(token)).rejects.toMatchObject(invalid);
    }
  });

  it('when it is well signed but made for something else', async () => {
    await expect(verify(await forge({ sid: 'download-7' }))).rejects.toMatchObject(invalid);
    const claims = { sid: ella.sessionId, sub: ella.user.userId };
    await expect(verify(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key))).rejects.toMatchObject(
      invalid,
    );
  });
});

it('asks for a token where there is none', async () => {
  await expect(verify('')).rejects.toMatchObject({
    code: 'token_missing',
    status: 401,
    remedy: expect.stringMatching(/^Sign in/),
  });
});

it('accepts a token until the sign-in expires, and says so afterwards', async () => {
  clock.advanceMs(hours(2) - 1000);
  await expect(verify(ella.token)).resolves.toMatchObject({ userId: ella.user.userId });
  clock.advanceMs(1000);
  await expect(verify(ella.token)).rejects.toMatchObject({ code: 'token_expired', status: 401 });
});

it('goes by the session where it expires before its token', async () => {
  await platform.dataSource.query(`update auth_session set expires_at = $1`, [clock.read()]);
  await expect(verify(ella.token)).rejects.toMatchObject({ code: 'token_expired' });
});

it('accepts no token whose session belongs to somebody else or is gone', async () => {
  const { userId } = await platform.auth.createUser({ login: 'louis', name: 'Louis', password: 'what a world' });
  await expect(verify(await forge({ sub: userId }))).rejects.toMatchObject({ code: 'session_ended' });
  await expect(verify(await forge({ sid: randomUUID() }))).rejects.toMatchObject({ code: 'session_ended' });
});

it('refuses a token after signing out, on that device only', async () => {
  const tablet = await platform.auth.signIn({ login: 'ella', password: 'blue in green' });
  await platform.auth.signOut(ella.sessionId);
  await expect(verify(ella.token)).rejects.toMatchObject({ code: 'session_ended', status: 401, remedy: 'Sign in again.' });
  await expect(verify(tablet.token)).resolves.toMatchObject({ sessionId: tablet.sessionId });
});

it('tells a sign-out once its end is committed, and only once', async () => {
  platform.listener.told.length = 0;
  let verdict: unknown;
  platform.listener.onFact = async () => {
    verdict = await verify(ella.token).catch((error: { code: string }) => error.code);
  };
  await Promise.all([platform.auth.signOut(ella.sessionId), platform.auth.signOut(ella.sessionId)]);
  await platform.auth.signOut(ella.sessionId);
  const fact = { userId: ella.user.userId, sessionId: ella.sessionId, at: clock.read().toISOString() };
  expect(platform.listener.told).toEqual([{ name: 'auth.user_logged_out', fact }]);
  expect(verdict).toBe('session_ended');
  expect(platform.listener.changes).toHaveLength(1);
});

it('tells a sign-out inside its transaction, with the memberships that there are', async () => {
  const { bandId } = await platform.auth.createBand({ name: 'Blue Hour Big Band' });
  const { userId } = ella.user;
  const trumpet = { bandId, role: 'member', instrument: 'trumpet' } as const;
  const waiting: Promise<void>[] = [];
  // While a membership is being given, somebody signs out: the sign-out must not miss the membership.
  platform.listener.onChange = (change) => {
    if ('bandId' in change) waiting.push(platform.auth.signOut(ella.sessionId));
  };
  await platform.auth.setMembership({ userId, ...trumpet });
  await Promise.all(waiting);
  expect(platform.listener.changes[1]).toEqual({
    userId,
    sessionId: ella.sessionId,
    memberships: [trumpet],
    transaction: expect.anything(),
  });
});

it('leaves a session as it was when a listener of its end fails', async () => {
  platform.listener.onChange = () => {
    throw new Error('the outbox is closed');
  };
  platform.listener.told.length = 0;
  await expect(platform.auth.signOut(ella.sessionId)).rejects.toThrow('the outbox is closed');
  await expect(verify(ella.token)).resolves.toMatchObject({ sessionId: ella.sessionId });
  expect(platform.listener.told).toEqual([]);
});

it('leaves a sign-out alone that names no session', async () => {
  platform.listener.told.length = 0;
  await platform.auth.signOut(randomUUID());
  await platform.auth.signOut('not an id');
  expect(platform.listener.told).toEqual([]);
});

it('answers the bus, errors included', async () => {
  await expect(platform.bus.request('auth.token_presented', { token: ella.token })).resolves.toEqual({
    userId: ella.user.userId,
    sessionId: ella.sessionId,
    displayName: 'Ella Brass',
    expiresAt: ella.expiresAt,
  });
  await expect(platform.bus.request('auth.token_presented', { token: 'nonsense' })).rejects.toMatchObject({
    code: 'token_invalid',
  });
});
