import { ManualClock } from './clock.js';
import { bandEmail, FakeDrive } from './fake-drive.js';
import { officialClient, refusalOf, serviceAccountClient } from './official-client.js';

let clock: ManualClock;
let fake: FakeDrive;
let fileId: string;

beforeEach(async () => {
  clock = new ManualClock();
  fake = await FakeDrive.start({ clock });
  fileId = fake.put('Waltz.cho', 'one');
});
afterEach(() => fake.close());

const tokens = () => fake.server.served.filter(({ operation }) => operation === 'token').map(({ status }) => status);

it('gives an access token for a refresh token, and works with it for an hour', async () => {
  const client = officialClient(fake, fake.band);
  await client.files.get({ fileId });
  await client.files.get({ fileId });
  expect(tokens()).toEqual([200]);
  clock.advance(3_600_000);
  expect(await refusalOf(client.files.get({ fileId }))).toMatchObject({ status: 401, reason: 'authError' });
});

it('refuses tokens it has taken back, and gives new ones', async () => {
  const client = officialClient(fake, fake.band);
  await client.files.get({ fileId });
  fake.credentials.expireAccessTokens();
  expect((await refusalOf(client.files.get({ fileId }))).status).toBe(401);
  await officialClient(fake, fake.band).files.get({ fileId });
});

it('says invalid_grant once the consent is withdrawn, and 401 for what was given before', async () => {
  const client = officialClient(fake, fake.band);
  await client.files.get({ fileId });
  fake.revokeCredential();
  expect((await refusalOf(client.files.get({ fileId }))).status).toBe(401);
  const again = officialClient(fake, fake.band);
  await expect(again.files.get({ fileId })).rejects.toMatchObject({ status: 400, message: 'invalid_grant' });
  const renewed = officialClient(fake, fake.account(bandEmail));
  expect((await renewed.files.get({ fileId })).data.name).toBe('Waltz.cho');
});

it('refuses a refresh token to another application', async () => {
  const client = officialClient(fake, { ...fake.band, clientSecret: 'guessed' });
  await expect(client.files.get({ fileId })).rejects.toMatchObject({ status: 401, message: 'invalid_client' });
});

it('lets a service account in that signs with its key, to what is shared with it', async () => {
  const key = fake.serviceAccount();
  const client = serviceAccountClient(fake, key);
  expect((await refusalOf(client.files.get({ fileId }))).status).toBe(404);
  fake.share(fileId, key.client_email);
  expect((await client.files.get({ fileId })).data.name).toBe('Waltz.cho');
  expect(tokens()).toEqual([200]);
});

it('refuses an assertion that is signed with another key', async () => {
  const key = fake.serviceAccount();
  const other = fake.serviceAccount('other@band-project.iam.gserviceaccount.com');
  const client = serviceAccountClient(fake, { ...key, private_key: other.private_key });
  await expect(client.files.get({ fileId })).rejects.toThrow('invalid_grant');
});

it('refuses a service account that was deleted', async () => {
  const key = fake.serviceAccount();
  const client = serviceAccountClient(fake, key);
  fake.revokeCredential(key.client_email);
  await expect(client.files.get({ fileId })).rejects.toThrow('invalid_grant');
});

it('refuses a request without a credential', async () => {
  const response = await fetch(`${fake.rootUrl}drive/v3/files/${fileId}`);
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ error: { code: 401, errors: [{ reason: 'authError' }] } });
});
