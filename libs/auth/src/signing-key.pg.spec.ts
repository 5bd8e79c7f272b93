import type { TestDatabase } from '../../../test/support/database.js';
import { authDatabase, startPlatform, type Platform } from '../test/platform.js';

let database: TestDatabase;
const platforms: Platform[] = [];
beforeEach(async () => {
  database = await authDatabase();
});
afterEach(async () => {
  for (const { app } of platforms.splice(0)) await app.close();
  await database.drop();
});

async function start(secret?: string): Promise<Platform> {
  const platform = await startPlatform(database.url, { secret });
  platforms.push(platform);
  return platform;
}

async function tokenFrom({ auth }: Platform): Promise<string> {
  const user = { login: 'ella', name: 'Ella Brass', password: 'blue in green' };
  await auth.createUser(user);
  return (await auth.signIn(user)).token;
}

it('gives processes that start together one key', async () => {
  const started = await Promise.all(Array.from({ length: 6 }, () => start()));
  const [first] = started;
  const token = await tokenFrom(first!);
  for (const { auth } of started) await expect(auth.verify(token)).resolves.toMatchObject({ displayName: 'Ella Brass' });
  expect(await first!.dataSource.query(`select octet_length(secret) as bytes from auth_signing_key`)).toEqual([
    { bytes: 32 },
  ]);
});

it('keeps users signed in across a restart', async () => {
  const before = await start();
  const token = await tokenFrom(before);
  await platforms.pop()!.app.close();
  const { auth } = await start();
  await expect(auth.verify(token)).resolves.toMatchObject({ displayName: 'Ella Brass' });
});

it('uses the configured secret instead, and stores nothing then', async () => {
  const platform = await start('a secret of more than thirty-two characters');
  const token = await tokenFrom(platform);
  const { auth: same } = await start('a secret of more than thirty-two characters');
  await expect(same.verify(token)).resolves.toMatchObject({ displayName: 'Ella Brass' });
  expect(await platform.dataSource.query(`select from auth_signing_key`)).toEqual([]);
  const { auth: another } = await start();
  await expect(another.verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
});
