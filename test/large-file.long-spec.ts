import { createHash, type Hash } from 'node:crypto';
import { open as openFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileUpdate } from '@soleil/sync-protocol';
import { contentOf, generatedContent, type Content } from './fake-drive/content.js';
import { FakeDrive } from './fake-drive/fake-drive.js';
import { Follower } from './support/follower.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
import { stockClient } from './support/sync-app.js';

const size = 2 * 1024 ** 3 + 1;
const name = 'Whole rehearsal.mp3';
/** What the process may grow by while such a file comes and goes. */
const mostGrowth = 300 * 1024 ** 2;
const content = generatedContent(size, 'ID3');

it.each([
  ['a folder', inFolder],
  ['Google Drive', onGoogle],
])(
  'brings a file of 2 GB from %s to a device, whole and in ranges, holds little of it, and lets other files pass',
  async (_, open) => {
    const { platform, put, close } = await open();
    const socket = stockClient(platform.url, { token: await platform.signIn('tina') });
    try {
      const tina = new Follower(socket, `band:${platform.bandId}`);
      await tina.subscribe();
      await put(name, content);
      const { fileId, hash, size: told } = (await tina.count(1))[0]!.data as FileUpdate;
      expect({ hash, told }).toEqual({ hash: content.sha256, told: size });
      const token = await platform.signIn('tina');
      const before = process.memoryUsage().rss;
      let most = 0;
      const get = async (headers: Record<string, string>): Promise<{ status: number; bytes: number; hash: Hash }> => {
        const response = await platform.call(`/files/${fileId}/content`, { token, headers });
        const read = { status: response.status, bytes: 0, hash: createHash('sha256') };
        for await (const piece of response.body!) {
          read.bytes += piece.length;
          read.hash.update(piece);
          most = Math.max(most, process.memoryUsage.rss());
        }
        return read;
      };
      let isOver = false;
      const reading = get({}).finally(() => (isOver = true));
      await put('Waltz_Concert.cho', contentOf('{title: Waltz}\n[C]la\n'));
      expect((await tina.count(2))[1]!.data).toMatchObject({ path: 'Waltz_Concert.cho', content: { title: 'Waltz' } });
      expect(isOver).toBe(false);
      const whole = await reading;
      expect([whole.status, whole.bytes, whole.hash.digest('hex')]).toEqual([200, size, content.sha256]);
      const end = await get({ range: `bytes=${2 ** 31 - 2}-` });
      expect([end.status, end.bytes]).toEqual([206, 3]);
      expect(end.hash.digest('hex')).toBe(
        createHash('sha256')
          .update(Buffer.concat([...content.read(2 ** 31 - 2, size)]))
          .digest('hex'),
      );
      expect(most - before).toBeLessThan(mostGrowth);
    } finally {
      socket.disconnect();
      await close();
    }
  },
  300_000,
);

interface Place {
  platform: TestPlatform;
  put(name: string, content: Content): Promise<unknown>;
  close(): Promise<void>;
}

async function inFolder(): Promise<Place> {
  const platform = await startPlatform({ env: { MAX_FILE_MB: '3000' } });
  return {
    platform,
    close: () => platform.close(),
    async put(name, content) {
      const beside = join(platform.libraryDir, '..', name);
      const file = await openFile(beside, 'w');
      for (const piece of content.read(0, content.size)) await file.write(piece);
      await file.close();
      await rename(beside, join(platform.libraryDir, name));
    },
  };
}

async function onGoogle(): Promise<Place> {
  const drive = await FakeDrive.start();
  const folder = drive.folder('The Band');
  const { clientId, clientSecret, refreshToken } = drive.band;
  const platform = await startPlatform({
    env: {
      MAX_FILE_MB: '3000',
      GOOGLE_CLIENT_ID: clientId,
      GOOGLE_CLIENT_SECRET: clientSecret,
      GOOGLE_REFRESH_TOKEN: refreshToken,
      GOOGLE_FOLDER_ID: folder,
    },
    google: { rootUrl: drive.rootUrl, tokenUrl: drive.tokenUrl, pollIntervalMs: 1_000 },
  });
  return {
    platform,
    put: async (name, content) => drive.put(name, content, { parent: folder }),
    async close() {
      await platform.close();
      await drive.close();
    },
  };
}
