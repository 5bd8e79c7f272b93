import { parseOptions } from '@node-rs/argon2';
import type { TestDatabase } from '../../../test/support/database.js';
import { authDatabase, hours, minutes, startPlatform, TestClock, type Platform } from '../test/platform.js';

let database: TestDatabase;
let platform: Platform;
let clock: TestClock;
beforeEach(async () => {
  database = await authDatabase();
  clock = new TestClock();
  platform = await startPlatform(database.url, { clock: clock.read });
});
afterEach(async () => {
  await platform.app.close();
  await database.drop();
});

const ella = { login: 'Ella@example.org', name: 'Ella Brass', password: 'blue in green' };
const signIn = (login = 'ella@example.org', password = ella.password) => platform.auth.signIn({ login, password });

async function failTimes(count: number, login = 'ella@example.org'): Promise<void> {
  for (let failures = 0; failures < count; failures++) {
    await expect(signIn(login, 'wrong password')).rejects.toMatchObject({ code: 'credentials_wrong' });
  }
}

it('signs a user in, whatever the case of the login', async () => {
  const { userId } = await platform.auth.createUser(ella);
  const signedIn = await platform.auth.signIn({ login: ' ELLA@Example.org ', password: ella.password, userAgent: 'Tablet' });
  expect(signedIn).toEqual({
    user: { userId, login: 'ella@example.org', name: 'Ella Brass' },
    sessionId: expect.any(String),
    token: expect.any(String),
    expiresAt: '2026-12-04T18:00:00.000Z',
  });
  await expect(platform.auth.verify(signedIn.token)).resolves.toEqual({
    userId,
    sessionId: signedIn.sessionId,
    displayName: 'Ella Brass',
    expiresAt: signedIn.expiresAt,
  });
});

it('accepts a password however the keyboard composes its characters', async () => {
  await platform.auth.createUser({ ...ella, password: 'café crème' });
  await expect(signIn(ella.login, 'café crème'.normalize('NFD'))).resolves.toMatchObject({ user: { name: ella.name } });
});

it('tells a sign-in once its session is committed', async () => {
  const { userId } = await platform.auth.createUser(ella);
  let sessionsSeen: unknown;
  platform.listener.onFact = async () => {
    sessionsSeen = await platform.dataSource.query(`select id as "sessionId", user_agent as "userAgent" from auth_session`);
  };
  const { sessionId } = await platform.auth.signIn({ ...ella, userAgent: 'Tablet' });
  expect(platform.listener.told).toEqual([
    { name: 'auth.user_logged_in', fact: { userId, sessionId, at: clock.read().toISOString() } },
  ]);
  expect(sessionsSeen).toEqual([{ sessionId, userAgent: 'Tablet' }]);
});

it('signs in although a listener fails', async () => {
  await platform.auth.createUser(ella);
  platform.listener.onFact = () => {
    throw new Error('out of order');
  };
  const { token } = await signIn();
  await expect(platform.auth.verify(token)).resolves.toMatchObject({ displayName: ella.name });
});

it('does not say whether login or password is wrong', async () => {
  await platform.auth.createUser(ella);
  const wrongPassword = await signIn(ella.login, 'green in blue').catch((error: unknown) => error);
  const unknownLogin = await signIn('nobody@example.org').catch((error: unknown) => error);
  const impossibleLogin = await signIn('no\0body').catch((error: unknown) => error);
  expect(wrongPassword).toMatchObject({ code: 'credentials_wrong', status: 401, retryable: false, details: {} });
  expect({ ...(unknownLogin as object) }).toEqual({ ...(wrongPassword as object) });
  expect({ ...(impossibleLogin as object) }).toEqual({ ...(wrongPassword as object) });
  expect(platform.listener.told).toEqual([]);
});

it('refuses input that is not even text', async () => {
  await expect(platform.auth.signIn({ login: 7, password: null } as never)).rejects.toMatchObject({
    code: 'input_invalid',
    status: 400,
    details: { fields: ['login', 'password'] },
  });
});

it('lets nobody try an eleventh password in five minutes, the right one included', async () => {
  await platform.auth.createUser(ella);
  await failTimes(4);
  clock.advanceMs(minutes(1));
  await failTimes(6);
  await expect(signIn()).rejects.toMatchObject({
    code: 'too_many_attempts',
    status: 429,
    retryable: true,
    details: { retryAfterMs: minutes(4) },
  });
});

it('admits attempts again as the failed ones come of age, refused ones not counting', async () => {
  await platform.auth.createUser(ella);
  await failTimes(1);
  clock.advanceMs(minutes(1));
  await failTimes(9);
  await expect(signIn()).rejects.toMatchObject({ code: 'too_many_attempts' });
  clock.advanceMs(minutes(4));
  await failTimes(1);
  await expect(signIn()).rejects.toMatchObject({ code: 'too_many_attempts', details: { retryAfterMs: minutes(1) } });
  clock.advanceMs(minutes(1));
  await expect(signIn()).resolves.toMatchObject({ user: { name: ella.name } });
});

it('counts from the start after a success', async () => {
  await platform.auth.createUser(ella);
  await failTimes(9);
  await signIn();
  await failTimes(10);
});

it('counts each login by itself, unknown ones too', async () => {
  await platform.auth.createUser(ella);
  await failTimes(10, 'nobody@example.org');
  await expect(signIn('nobody@example.org')).rejects.toMatchObject({ code: 'too_many_attempts' });
  await expect(signIn()).resolves.toMatchObject({ user: { name: ella.name } });
});

it('counts attempts that come all at once, to any of the processes', async () => {
  await platform.auth.createUser(ella);
  const other = await startPlatform(database.url, { clock: clock.read });
  const attempts = Array.from({ length: 30 }, async (_, index) => {
    const { auth } = index % 2 ? platform : other;
    return auth
      .signIn({ login: ella.login, password: `guess number ${index}` })
      .catch((error: { code: string }) => error.code);
  });
  const outcomes = await Promise.all(attempts);
  await other.app.close();
  expect(outcomes.filter((code) => code === 'credentials_wrong')).toHaveLength(10);
  expect(outcomes.filter((code) => code === 'too_many_attempts')).toHaveLength(20);
});

it('keeps counting across a restart', async () => {
  await platform.auth.createUser(ella);
  await failTimes(10);
  await platform.app.close();
  platform = await startPlatform(database.url, { clock: clock.read });
  await expect(signIn()).rejects.toMatchObject({ code: 'too_many_attempts' });
});

it('signs twenty devices of one user in at once', async () => {
  await platform.auth.createUser(ella);
  const signedIn = await Promise.all(Array.from({ length: 20 }, () => signIn()));
  expect(new Set(signedIn.map(({ sessionId }) => sessionId)).size).toBe(20);
});

it('keeps neither old failures nor expired sessions', async () => {
  await platform.auth.createUser(ella);
  await signIn();
  await failTimes(1, 'somebody@example.org');
  clock.advanceMs(hours(24 * 14));
  await failTimes(1, 'nobody@example.org');
  const { sessionId } = await signIn();
  expect(await platform.dataSource.query(`select login from auth_attempts`)).toEqual([{ login: 'nobody@example.org' }]);
  expect(await platform.dataSource.query(`select id from auth_session`)).toEqual([{ id: sessionId }]);
});

it('keeps passwords as Argon2id hashes of the recommended costs only', async () => {
  await platform.app.close();
  platform = await startPlatform(database.url, { passwordMemoryKiB: undefined, passwordIterations: undefined });
  await platform.auth.createUser(ella);
  const [{ password_hash: hash }] = await platform.dataSource.query(`select password_hash from auth_user`);
  expect(hash).toMatch(/^\$argon2id\$v=19\$/);
  expect(parseOptions(hash)).toMatchObject({ memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 });
  await expect(signIn()).resolves.toMatchObject({ user: { name: ella.name } });
});
