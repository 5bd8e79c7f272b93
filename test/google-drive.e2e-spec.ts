import type { FileUpdate, Message } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import { ManualClock } from './fake-drive/clock.js';
import { FakeDrive } from './fake-drive/fake-drive.js';
import { Follower } from './support/follower.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
import { stockClient } from './support/sync-app.js';

const chart = (words: string): string => `{title: Blue Bells}\n{key: F}\n\n[F]${words} [C7]by the [F]sea\n`;

const clock = new ManualClock(Date.now());
let drive: FakeDrive;
let folder: string;
let platform: TestPlatform;
let socket: Socket;

beforeAll(async () => {
  drive = await FakeDrive.start({ clock });
  folder = drive.folder('The Band');
  const { clientId, clientSecret, refreshToken } = drive.band;
  platform = await startPlatform({
    env: {
      PUBLIC_URL: 'https://band.example.test',
      GOOGLE_CLIENT_ID: clientId,
      GOOGLE_CLIENT_SECRET: clientSecret,
      GOOGLE_REFRESH_TOKEN: refreshToken,
      GOOGLE_FOLDER_ID: folder,
    },
    // Nothing is found by asking: what arrives was told by a notification.
    google: { rootUrl: drive.rootUrl, tokenUrl: drive.tokenUrl, pollIntervalMs: 3_600_000 },
  });
  drive.push.route = (address) => address.replace('https://band.example.test', platform.url);
});
afterAll(async () => {
  socket.disconnect();
  await platform.close();
  await drive.close();
});

it('brings what is saved in the Google folder to a device, told by a notification', async () => {
  await drive.server.until((served) => served.some(({ operation }) => operation === 'changes.watch'));
  socket = stockClient(platform.url, { token: await platform.signIn('tina') });
  const tina = new Follower(socket, `band:${platform.bandId}`);
  expect(await tina.subscribe()).toMatchObject({ ok: true });

  const id = drive.put('Blue Bells_Concert.cho', chart('Bluebells'), { parent: folder });
  const [first] = await tina.count(1);
  drive.write(id, chart('Cockleshells'));
  const [, second] = await tina.count(2);

  const [added, changed] = [first!.data as FileUpdate, second!.data as FileUpdate];
  expect(added).toMatchObject({ path: 'Blue Bells_Concert.cho', content: { kind: 'chart', title: 'Blue Bells' } });
  expect(changed).toMatchObject({ path: 'Blue Bells_Concert.cho', fileId: added.fileId });
  const bytes = await platform.call(`/files/${added.fileId}/content`, { token: await platform.signIn('tina') });
  expect(await bytes.text()).toBe(chart('Cockleshells'));
  await drive.push.settled();
  // The first of all came before the test knew where the platform is.
  const told = drive.push.deliveries.filter(({ state }) => state === 'change');
  expect(new Set(told.map(({ status }) => status))).toEqual(new Set([202]));
});

it('lets the band wait as long as Google asks, says so to its leader, and brings everything by itself', async () => {
  const tina = new Follower(socket, `band:${platform.bandId}`);
  const lea = await platform.signIn('lea');
  const paused = async (): Promise<Record<string, string> | null> => {
    const { bands } = (await (await platform.call('/sync/status', { token: lea })).json()) as {
      bands: { paused: Record<string, string> | null }[];
    };
    return bands[0]!.paused;
  };
  // Longer than a request waits within an operation.
  drive.faults.answer({ operation: 'files.download' }, { status: 429, retryAfterS: 6 });
  const titles = ['Red Rose', 'Green Grass', 'White Wine'];
  for (const title of titles)
    drive.put(`${title}_Concert.cho`, chart('la').replace('Blue Bells', title), { parent: folder });
  let told: Record<string, string> | null = null;
  while (told === null) told = await paused();
  expect(told).toMatchObject({ code: 'drive_busy', message: "Google's quota is spent for the moment." });
  expect(Date.parse(told.until!) - Date.parse(told.since!)).toBeGreaterThanOrEqual(6_000);
  const titleOf = ({ data }: Message): unknown => (data as FileUpdate).content.title;
  await tina.until(({ messages }) => titles.every((title) => messages.some((message) => titleOf(message) === title)));
  expect(await paused()).toBeNull();
});

it('brings only the newest of several files with one name to a band that chose so, and the older when that goes', async () => {
  const tina = new Follower(socket, `band:${platform.bandId}`);
  await tina.subscribe();
  const lea = await platform.signIn('lea');
  const choose = async (sameName: string): Promise<void> => {
    const path = `/sync/bands/${platform.bandId}/settings`;
    expect((await platform.call(path, { token: lea, method: 'PUT', body: { sameName } })).status).toBe(200);
  };
  const has = (...expected: string[]): Promise<void> =>
    tina.until(({ messages }) => String(waltzes(messages)) === String(expected));
  const waltz = (words: string): string =>
    drive.put('Waltz_Concert.cho', chart(words).replace('Blue Bells', words), { parent: folder });

  const older = waltz('Older');
  await has('Waltz_Concert.cho Older');
  clock.advance(1);
  const newer = waltz('Newer');
  await has(`Waltz_Concert (${older}).cho Older`, 'Waltz_Concert.cho Newer');
  await choose('newest');
  await has('Waltz_Concert.cho Newer');
  clock.advance(1);
  drive.write(older, chart('Edited').replace('Blue Bells', 'Edited'));
  await has('Waltz_Concert.cho Edited');
  drive.trash(older);
  await has('Waltz_Concert.cho Newer');
  drive.untrash(older);
  await has('Waltz_Concert.cho Edited');
  await choose('all');
  await has(`Waltz_Concert (${newer}).cho Newer`, 'Waltz_Concert.cho Edited');
});

it('says that it is not ready while the folder is away', async () => {
  drive.trash(folder);
  await drive.push.settled();
  const lost = async (): Promise<boolean> => (await platform.call('/health/ready')).status === 503;
  // The look that the notification asked for is under way.
  while (!(await lost()));
  const { checks } = (await (await platform.call('/health/ready')).json()) as { checks: { folders: object } };
  expect(checks.folders).toEqual({ ok: false, reason: '1 of 1 folders cannot be read.' });
});

/** The files of that name that a device has after what it was told, and their titles. */
function waltzes(messages: readonly Message[]): string[] {
  const files = new Map(messages.map(({ key, data }) => [key, data as FileUpdate | null]));
  return [...files.values()]
    .flatMap((file) => (file?.path.startsWith('Waltz') ? `${file.path} ${file.content.title}` : []))
    .sort();
}
