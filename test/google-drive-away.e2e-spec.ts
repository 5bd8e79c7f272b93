import type { FileUpdate } from '@soleil/sync-protocol';
import { bandEmail, FakeDrive } from './fake-drive/fake-drive.js';
import { Follower } from './support/follower.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
import { stockClient } from './support/sync-app.js';

const chart = (title: string): string => `{title: ${title}}\n{key: F}\n\n[F]By the [C7]sea, by the [F]sea\n`;

let drive: FakeDrive;
let folder: string;
let platform: TestPlatform;

beforeAll(async () => {
  drive = await FakeDrive.start();
  folder = drive.folder('The Band');
  const { clientId, clientSecret, refreshToken } = drive.band;
  platform = await startPlatform({
    env: {
      GOOGLE_CLIENT_ID: clientId,
      GOOGLE_CLIENT_SECRET: clientSecret,
      GOOGLE_REFRESH_TOKEN: refreshToken,
      GOOGLE_FOLDER_ID: folder,
    },
    google: { rootUrl: drive.rootUrl, tokenUrl: drive.tokenUrl, pollIntervalMs: 500 },
    // What costs an attempt is dead; few are under way at once.
    sync: { attempts: 1, workers: 4 },
  });
});
afterAll(async () => {
  await platform.close();
  await drive.close();
});

const operations = async (token: string): Promise<{ errorCode: string | null; status: string }[]> => {
  const answer = await platform.call('/sync/operations?kind=file', { token });
  return ((await answer.json()) as { operations: { errorCode: string | null; status: string }[] }).operations;
};
const paused = async (token: string): Promise<{ code: string; message: string } | null> => {
  const { bands } = (await (await platform.call('/sync/status', { token })).json()) as {
    bands: { paused: { code: string; message: string } | null }[];
  };
  return bands[0]!.paused;
};

it.each<[string, { code: string; message: string }, () => void, () => void]>([
  [
    'the credential is revoked',
    { code: 'credential_revoked', message: 'Google does not accept the credential of the platform any more.' },
    () => drive.revokeCredential(),
    () => void drive.credentials.user(bandEmail),
  ],
  [
    'the folder is away',
    { code: 'folder_missing', message: "The band's folder is not there, or not shared with the platform's account." },
    () => void drive.trash(folder),
    () => void drive.untrash(folder),
  ],
])(
  'lets nothing of the band be asked for one by one while %s, says why, and brings everything afterwards',
  async (_, why, takeAway, giveBack) => {
    const socket = stockClient(platform.url, { token: await platform.signIn('tina') });
    const tina = new Follower(socket, `band:${platform.bandId}`);
    expect(await tina.subscribe()).toMatchObject({ ok: true });
    const lea = await platform.signIn('lea');
    const titles = Array.from({ length: 30 }, (_, n) => `Song ${n} ${why.code}`);
    const held = drive.faults.hold({ operation: 'files.download' });
    for (const title of titles) drive.put(`${title}_Concert.cho`, chart(title), { parent: folder });
    await held.arrived;
    takeAway();
    drive.faults.clear();

    let told: object | null = null;
    while (!told) told = await paused(lea);
    expect(told).toMatchObject(why);
    const asked = (await operations(lea)).filter(({ errorCode }) => errorCode === why.code);
    expect(asked.length).toBeLessThan(titles.length / 2);
    giveBack();
    await tina.until(({ messages }) => {
      const known = new Set(messages.map(({ data }) => (data as FileUpdate | null)?.content.title));
      return titles.every((title) => known.has(title));
    });
    expect(await paused(lea)).toBeNull();
    socket.disconnect();
  },
);

it('does not let the band wait for one file that is refused', async () => {
  const lea = await platform.signIn('lea');
  const id = drive.put('Refused_Concert.cho', chart('Refused'), { parent: folder });
  drive.faults.answer({ operation: 'files.download', fileId: id }, { status: 403, reason: 'insufficientFilePermissions' });
  while (!(await operations(lea)).some(({ errorCode }) => errorCode === 'access_denied'));
  expect(await paused(lea)).toBeNull();
});

it.each<[string, string, () => void, () => void]>([
  [
    'the credential is revoked',
    'credential_revoked',
    () => drive.revokeCredential(),
    () => void drive.credentials.user(bandEmail),
  ],
  ['the folder goes away', 'folder_missing', () => void drive.trash(folder), () => void drive.untrash(folder)],
])(
  'says of a file that is being read when %s why it waits, and brings it afterwards',
  async (_, code, takeAway, giveBack) => {
    const socket = stockClient(platform.url, { token: await platform.signIn('tina') });
    const tina = new Follower(socket, `band:${platform.bandId}`);
    expect(await tina.subscribe()).toMatchObject({ ok: true });
    const lea = await platform.signIn('lea');
    const id = drive.put(`${code}_Concert.cho`, chart(code), { parent: folder });
    const held = drive.faults.hold({ operation: 'files.get', fileId: id }, 1);
    await held.arrived;
    takeAway();
    held.open();

    let failed: object | undefined;
    while (!failed) failed = (await operations(lea)).find(({ errorCode }) => errorCode === code);
    expect(failed).toMatchObject({ status: 'failed', attempts: 0, errorRemedy: expect.any(String) });
    giveBack();
    await tina.until(({ messages }) => messages.some(({ data }) => (data as FileUpdate | null)?.content.title === code));
    socket.disconnect();
  },
);
