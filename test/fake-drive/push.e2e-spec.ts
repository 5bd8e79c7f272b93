import type { drive_v3 } from '@googleapis/drive';
import { ManualClock } from './clock.js';
import { bandEmail, FakeDrive } from './fake-drive.js';
import { officialClient, refusalOf } from './official-client.js';
import { Receiver } from './receiver.js';

const address = 'https://band.example/drive/notifications';
const hourMs = 3_600_000;

let clock: ManualClock;
let fake: FakeDrive;
let client: drive_v3.Drive;
let receiver: Receiver;
let pageToken: string;

beforeEach(async () => {
  clock = new ManualClock();
  fake = await FakeDrive.start({ clock });
  client = officialClient(fake, fake.band);
  receiver = await Receiver.start();
  fake.push.route = (to) => receiver.at(to);
  pageToken = (await client.changes.getStartPageToken()).data.startPageToken!;
});
afterEach(async () => {
  await fake.close();
  await receiver.close();
});

async function watch(channel: drive_v3.Schema$Channel = {}, parameters = {}): Promise<drive_v3.Schema$Channel> {
  const requestBody = { id: 'channel-1', type: 'web_hook', address, ...channel };
  const { data } = await client.changes.watch({ pageToken, requestBody, ...parameters });
  return data;
}

it('says sync first, then that something changed, with rising numbers, gaps and no body', async () => {
  const channel = await watch({ token: 'secret' });
  fake.put('a', '1');
  fake.put('b', '1');
  await fake.push.settled();
  expect(receiver.all('x-goog-resource-state')).toEqual(['sync', 'change', 'change']);
  expect(receiver.all('x-goog-message-number')).toEqual(['1', '4', '7']);
  expect(receiver.received.map(({ body }) => body)).toEqual(['', '', '']);
  expect(receiver.received[1]).toMatchObject({
    path: '/drive/notifications',
    headers: {
      'x-goog-channel-id': 'channel-1',
      'x-goog-channel-token': 'secret',
      'x-goog-channel-expiration': new Date(Number(channel.expiration)).toUTCString(),
      'x-goog-resource-id': channel.resourceId,
      'x-goog-resource-uri': channel.resourceUri,
      'content-length': '0',
    },
  });
});

it('sends a token and what changed only where there is one', async () => {
  await watch();
  fake.push.changed = 'content';
  fake.put('a', '1');
  await fake.push.settled();
  expect(receiver.all('x-goog-channel-token')).toEqual([undefined, undefined]);
  expect(receiver.all('x-goog-changed')).toEqual([undefined, 'content']);
});

it('may say sync before the watch call has answered', async () => {
  fake.push.syncsFirst = true;
  const answered = watch().then(() => receiver.all('x-goog-resource-state'));
  expect(await answered).toEqual(['sync']);
});

it('lives for an hour by default, for seven days at most, and is silent from then on', async () => {
  const expirations = await Promise.all([
    watch({ id: 'default' }),
    watch({ id: 'chosen', expiration: String(clock.now() + 2 * hourMs) }),
    watch({ id: 'longest', expiration: String(clock.now() + 400 * 24 * hourMs) }),
  ]);
  const lives = expirations.map(({ expiration }) => (Number(expiration) - clock.now()) / hourMs);
  expect(lives).toEqual([1, 2, 7 * 24]);
  await fake.push.settled();
  clock.advance(hourMs);
  fake.put('a', '1');
  await fake.push.settled();
  expect(fake.push.openChannels.map(({ id }) => id)).toEqual(['chosen', 'longest']);
  expect(receiver.all('x-goog-channel-id').slice(3).sort()).toEqual(['chosen', 'longest']);
});

it('is stopped by its id together with that of its resource', async () => {
  const { id, resourceId } = await watch();
  const stop = (requestBody: drive_v3.Schema$Channel) => client.channels.stop({ requestBody });
  expect((await refusalOf(stop({ id, resourceId: 'another' }))).status).toBe(404);
  expect((await stop({ id, resourceId })).status).toBe(204);
  fake.put('a', '1');
  await fake.push.settled();
  expect(receiver.all('x-goog-resource-state')).toEqual(['sync']);
  expect((await refusalOf(stop({ id, resourceId }))).status).toBe(404);
});

it.each([
  ['an address without TLS', { address: 'http://band.example/' }, 'push.webhookUrlNotHttps'],
  ['an id that is too long', { id: 'x'.repeat(65) }, 'channelIdInvalid'],
  ['a token that is too long', { token: 'x'.repeat(257) }, 'invalid'],
  ['another kind of channel', { type: 'carrier_pigeon' }, 'invalid'],
  ['an end in the past', { expiration: '1000' }, 'invalid'],
])('refuses %s', async (_what, channel, reason) => {
  expect(await refusalOf(watch(channel))).toMatchObject({ status: 400, reason });
});

it('refuses the id of another channel, and a page token that never was one', async () => {
  await watch();
  expect(await refusalOf(watch())).toMatchObject({ status: 400, reason: 'channelIdNotUnique' });
  expect(await refusalOf(watch({ id: 'two' }, { pageToken: 'BOGUS' }))).toMatchObject({ location: 'pageToken' });
});

it('sends again, under the same number, only what the receiver may manage another time', async () => {
  await watch();
  await fake.push.settled();
  for (const status of [200, 201, 202, 204, 400, 404, 410, 500, 502, 503, 504]) {
    receiver.status = status;
    fake.put(`answered with ${status}`, '1');
    await fake.push.settled();
  }
  const refused = receiver.all('x-goog-message-number').slice(-4);
  receiver.status = 202;
  receiver.received.length = 0;
  fake.push.retry();
  await fake.push.settled();
  expect(receiver.all('x-goog-message-number')).toEqual(refused);
  expect(fake.push.deliveries.slice(-5).map(({ status }) => status)).toEqual([504, 202, 202, 202, 202]);
});

it('tells again what reached nobody', async () => {
  await watch();
  await fake.push.settled();
  const there = fake.push.route;
  fake.push.route = () => 'http://127.0.0.1:1/';
  fake.put('a', '1');
  await fake.push.settled();
  fake.push.route = there;
  fake.push.retry();
  await fake.push.settled();
  expect(fake.push.deliveries.map(({ status }) => status)).toEqual([202, null, 202]);
});

it('loses notifications, sends them twice and floods, on demand', async () => {
  await watch();
  fake.push.copies = 0;
  fake.put('a', '1');
  fake.push.copies = 2;
  fake.put('b', '1');
  fake.push.copies = 1;
  fake.push.flood('channel-1', 100);
  await fake.push.settled();
  expect(receiver.all('x-goog-message-number').slice(0, 4)).toEqual(['1', '7', '7', '10']);
  expect(receiver.received).toHaveLength(1 + 2 + 100);
});

it('is told of what its user sees, and of one drive if it is for that', async () => {
  fake.account('guest@example.test');
  const drive = fake.sharedDrive('Big Band');
  const all = { supportsAllDrives: true, includeItemsFromAllDrives: true };
  const { data } = await client.changes.getStartPageToken({ driveId: drive, supportsAllDrives: true });
  await watch({ id: 'user' });
  await watch({ id: 'drive' }, { driveId: drive, pageToken: data.startPageToken, ...all });
  await fake.push.settled();
  receiver.received.length = 0;
  const inDrive = fake.put('a', '1', { parent: drive });
  fake.put('b', '1', { parent: fake.rootOf('guest@example.test') });
  fake.put('c', '1', { parent: fake.rootOf(bandEmail) });
  await fake.push.settled();
  expect(receiver.all('x-goog-channel-id').sort()).toEqual(['drive', 'user', 'user']);
  receiver.received.length = 0;
  fake.move(inDrive, fake.rootOf(bandEmail));
  await fake.push.settled();
  expect(receiver.all('x-goog-channel-id').sort()).toEqual(['drive', 'user']);
});
