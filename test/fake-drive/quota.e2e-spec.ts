import type { drive_v3 } from '@googleapis/drive';
import { ManualClock } from './clock.js';
import { bandEmail, FakeDrive } from './fake-drive.js';
import { officialClient, refusalOf } from './official-client.js';

const minuteMs = 60_000;
/** Of a user two downloads and a read, of the project four and two. */
const limits = { perUser: 405, perProject: 810 };

let clock: ManualClock;
let fake: FakeDrive;
let client: drive_v3.Drive;
let fileId: string;

beforeEach(async () => {
  clock = new ManualClock();
  fake = await FakeDrive.start({ clock, limits });
  client = officialClient(fake, fake.band);
  fileId = fake.put('Waltz.cho', 'one');
});
afterEach(() => fake.close());

const download = (of = client) => of.files.get({ fileId, alt: 'media' });
const read = (of = client) => of.files.get({ fileId });

it('counts what each request costs, for each user', async () => {
  const guest = officialClient(fake, fake.account('guest@example.test'));
  const { data } = await client.changes.getStartPageToken();
  await client.changes.list({ pageToken: data.startPageToken! });
  await client.files.list();
  await download();
  expect(fake.quota.spentBy(bandEmail)).toBe(5 + 100 + 100 + 200);
  await guest.changes.getStartPageToken();
  expect(fake.quota.spentBy('guest@example.test')).toBe(5);
  expect(fake.quota.spent).toBe(410);
});

it('charges nothing for a token, for a request without a good one, and for what it refuses', async () => {
  const stranger = officialClient(fake, { ...fake.band, refreshToken: 'stolen' });
  await expect(read(stranger)).rejects.toThrow('invalid_grant');
  await download();
  await download();
  expect((await refusalOf(download())).status).toBe(403);
  await read();
  expect(fake.quota.spent).toBe(405);
  expect(fake.quota.refusals).toBe(1);
});

it('refuses what is beyond it, for a minute to the millisecond', async () => {
  await read();
  clock.advance(1);
  await download();
  await download();
  expect(await refusalOf(read())).toMatchObject({ status: 403, reason: 'userRateLimitExceeded', retryAfter: null });
  clock.advance(minuteMs - 2);
  expect((await refusalOf(read())).status).toBe(403);
  clock.advance(1);
  await read();
  expect((await refusalOf(read())).status).toBe(403);
});

it('is one for all users of the project, beside that of each', async () => {
  const others = ['one', 'two'].map((name) => officialClient(fake, fake.account(`${name}@example.test`)));
  for (const name of ['one', 'two']) fake.share(fileId, `${name}@example.test`);
  for (const user of [client, others[0]!]) {
    await download(user);
    await download(user);
    await read(user);
  }
  expect(await refusalOf(read(others[1]))).toMatchObject({ status: 403, reason: 'rateLimitExceeded' });
});

it('may answer 429, and say for how long', async () => {
  await download();
  await download();
  fake.quota.answer = { status: 429, retryAfterS: 30 };
  expect(await refusalOf(download())).toMatchObject({ status: 429, reason: 'rateLimitExceeded', retryAfter: '30' });
});
