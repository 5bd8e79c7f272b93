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
    // What costs an attempt is dead.
    sync: { attempts: 1 },
  });
});
afterAll(async () => {
  await platform.close();
  await drive.close();
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

    const failure = async (): Promise<object | undefined> => {
      const { operations } = (await (await platform.call('/sync/operations?kind=file', { token: lea })).json()) as {
        operations: { errorCode: string | null }[];
      };
      return operations.find(({ errorCode }) => errorCode === code);
    };
    let failed: object | undefined;
    while (!failed) failed = await failure();
    expect(failed).toMatchObject({ status: 'failed', attempts: 0, errorRemedy: expect.any(String) });
    giveBack();
    await tina.until(({ messages }) => messages.some(({ data }) => (data as FileUpdate | null)?.content.title === code));
    socket.disconnect();
  },
);
