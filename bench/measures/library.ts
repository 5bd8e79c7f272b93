import { mkdir, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DriveService, Quota } from '@soleil/drive';
import { SyncEngine } from '@soleil/sync';
import { bandChannel, protocolVersion, type MessagesFrame } from '@soleil/sync-protocol';
import { io } from 'socket.io-client';
import { DataSource } from 'typeorm';
import { readConfig } from '../../apps/platform/src/config.js';
import { createPlatform } from '../../apps/platform/src/platform.js';
import { FakeDrive } from '../../test/fake-drive/fake-drive.js';
import type { Arena } from '../arena.js';
import { chart, libraryOf, writeLibrary } from '../library-files.js';
import { median, rounded, verdict, type Measure } from '../measure.js';
import { percentile } from '../report.js';

const kib = 1024;
const plenty = 1_000_000_000;
/** Drive's charges: https://developers.google.com/workspace/drive/api/guides/limits */
const units = { read: 5, list: 100, download: 200 };
/** Files that one page of a list has at most. */
const pageFiles = 1_000;

export const library: Measure = {
  name: 'library',
  about:
    "A whole library of 2,000 files, 70 % charts, 25 % PDF, 5 % recordings, from a folder and from Google's Drive (a stand-in) into the log, and 50 charts saved at once, until a device has them.",
  async run(arena, print) {
    const many = arena.pick(2_000, 100);
    const folder = await fromFolder(arena, many, print);
    const google = await fromGoogle(arena, many);
    print(`from Google: ${JSON.stringify(google)}`);
    const { burst, filesPerSecond } = folder;
    return {
      generator: 'the whole platform in the process of the benchmark, one stock client beside it',
      figures: { files: many, filesPerSecond, burstMs: burst, google },
      verdicts: [
        verdict('2,000 files of a folder for the first time, recordings of 1 KB', filesPerSecond.withoutAudio, 'files/s', {
          atLeast: 1_000,
        }),
        verdict('units spent at Google, against the least', google.units / google.least, '×', { atMost: 1.1 }),
        verdict('50 charts saved at once → device, p99', burst.p99, 'ms', { atMost: 1_000 }),
        verdict('the same, every one', burst.max, 'ms', { atMost: 5_000 }),
      ],
      plot: {
        kind: 'bars',
        title: 'A library of 2,000 files, brought into the log',
        unit: 'files/s',
        groups: ['first time, recordings of 1 KB', 'first time, of 5 MB', 'full sync, nothing new'],
        series: [
          {
            name: 'files a second',
            values: [filesPerSecond.withoutAudio, filesPerSecond.withAudio, filesPerSecond.checked],
          },
        ],
      },
    };
  },
};

interface FromFolder {
  filesPerSecond: Record<'withoutAudio' | 'withAudio' | 'checked', number>;
  burst: { p50: number; p99: number; max: number };
}

async function fromFolder(arena: Arena, many: number, print: (line: string) => void): Promise<FromFolder> {
  const place = join(arena.home, 'demo library');
  await mkdir(place);
  const platform = await start(arena, { LIBRARY_DIR: place });
  try {
    const rates = { withoutAudio: [] as number[], withAudio: [] as number[], checked: [] as number[] };
    for (let round = 0; round < arena.pick(4, 1); round++) {
      for (const kind of ['withoutAudio', 'withAudio'] as const) {
        const bandId = `${kind}-${round}`;
        const root = join(arena.home, bandId);
        await writeLibrary(root, many, kind === 'withAudio' ? 5_000 * kib : kib);
        const seconds = await timed(async () => {
          await platform.app.get(DriveService).connectFolder({ bandId, root });
          await platform.published(bandId, many);
        });
        rates[kind].push(rounded(many / seconds));
        if (kind === 'withoutAudio') rates.checked.push(rounded(many / (await timed(() => platform.fullSync(bandId)))));
      }
    }
    print(`files/s: ${JSON.stringify(rates)}`);
    const burst = await savedAtOnce(arena, platform, place);
    return {
      filesPerSecond: {
        withoutAudio: warm(rates.withoutAudio),
        withAudio: warm(rates.withAudio),
        checked: warm(rates.checked),
      },
      burst,
    };
  } finally {
    await platform.app.close();
  }
}

/** The first of several rounds only warms up. */
const warm = (rates: readonly number[]): number => median(rates.length > 1 ? rates.slice(1) : rates);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return (performance.now() - begunAt) / 1_000;
}

/** Fifty charts, written beside the folder and moved into it, again and again. */
async function savedAtOnce(arena: Arena, platform: Platform, place: string): Promise<FromFolder['burst']> {
  const files = 50;
  const savedAt = new Map<string, number>();
  const times: number[] = [];
  const socket = io(`${platform.url}/sync`, {
    auth: { token: await platform.signIn('pete'), deviceId: 'bench-device', protocol: protocolVersion },
    transports: ['websocket'],
  });
  let complete: () => void = () => undefined;
  socket.on('messages', (frame: MessagesFrame) => {
    const now = performance.now();
    for (const { data } of frame.messages) {
      const { path } = (data ?? {}) as { path?: string };
      const saved = path && savedAt.get(path);
      if (!saved) continue;
      times.push(now - saved);
      savedAt.delete(path);
    }
    socket.emit('ack', { channel: frame.channel, offset: frame.to });
    if (savedAt.size === 0) complete();
  });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  await socket.emitWithAck('subscribe', { channel: bandChannel(platform.bandId) });
  for (let take = 0; take < arena.pick(12, 1); take++) {
    const everyone = new Promise<void>((resolve) => (complete = resolve));
    await Promise.all(
      Array.from({ length: files }, async (_, n) => {
        const name = `Burst ${n}_Concert.cho`;
        const beside = join(arena.home, `burst ${n}`);
        await writeFile(beside, chart(n, take));
        savedAt.set(name, performance.now());
        await rename(beside, join(place, name));
      }),
    );
    await everyone;
  }
  socket.disconnect();
  const counted = times.slice(arena.pick(2, 0) * files);
  return {
    p50: rounded(percentile(counted, 0.5)),
    p99: rounded(percentile(counted, 0.99)),
    max: rounded(Math.max(...counted)),
  };
}

async function fromGoogle(
  arena: Arena,
  many: number,
): Promise<{ units: number; least: number; requests: Record<string, number>; seconds: number }> {
  const drive = await FakeDrive.start({ limits: { perUser: plenty, perProject: plenty } });
  const folder = drive.folder('The Band');
  for (const { name, bytes } of libraryOf(many, kib)) drive.put(name, bytes, { parent: folder, mimeType: typeOf(name) });
  const { clientId, clientSecret, refreshToken } = drive.band;
  const place = join(arena.home, 'no library');
  await mkdir(place);
  const google = {
    rootUrl: drive.rootUrl,
    tokenUrl: drive.tokenUrl,
    pollIntervalMs: 3_600_000,
    quota: new Quota({ unitsPerMinutePerProject: plenty, unitsPerMinutePerUser: plenty }),
  };
  const env = {
    LIBRARY_DIR: place,
    GOOGLE_CLIENT_ID: clientId,
    GOOGLE_CLIENT_SECRET: clientSecret,
    GOOGLE_REFRESH_TOKEN: refreshToken,
    GOOGLE_FOLDER_ID: folder,
  };
  const begunAt = performance.now();
  const platform = await start(arena, env, google);
  try {
    await platform.published(platform.bandId, many);
    const seconds = (performance.now() - begunAt) / 1_000;
    const { served } = drive.server;
    const understood = new Set(
      served.flatMap(({ operation, fileId }) => (/\.download$/.test(operation) && fileId !== undefined ? fileId : [])),
    );
    // A start token, the folder itself, the pages of the list, and once the bytes of each file that has to be understood.
    const least = 2 * units.read + Math.ceil(many / pageFiles) * units.list + understood.size * units.download;
    const requests: Record<string, number> = {};
    for (const { operation } of served) requests[operation] = (requests[operation] ?? 0) + 1;
    return { units: drive.quota.spent, least, requests, seconds: rounded(seconds) };
  } finally {
    await platform.app.close();
    await drive.close();
  }
}

const typeOf = (name: string): string =>
  name.endsWith('.pdf') ? 'application/pdf' : name.endsWith('.mp3') ? 'audio/mpeg' : 'text/plain';

interface Platform {
  app: NestExpressApplication;
  url: string;
  bandId: string;
  signIn(login: string): Promise<string>;
  /** Resolves when the log has that many files of the band. */
  published(bandId: string, many: number): Promise<void>;
  fullSync(bandId: string): Promise<void>;
}

async function start(
  arena: Arena,
  env: Record<string, string>,
  google?: Parameters<typeof createPlatform>[0]['google'],
): Promise<Platform> {
  const databaseUrl = (await arena.emptyPostgres()).url();
  const config = readConfig({ PORT: '0', DATA_DIR: arena.home, DEMO: 'on', ...env });
  const app = await createPlatform({ config, databaseUrl, logger: ['error', 'fatal'], ...(google ? { google } : {}) });
  await app.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  const database = app.get(DataSource);
  const [band] = await database.query<[{ id: string }]>('select band_id as id from drive_folder');
  return {
    app,
    url,
    bandId: band.id,
    async signIn(login) {
      const response = await fetch(`${url}/auth/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login, password: 'rehearsal' }),
      });
      return ((await response.json()) as { token: string }).token;
    },
    async published(bandId, many) {
      const count = 'select count(*)::int as many from sync_file where band_id = $1 and channel is not null';
      while ((await database.query<[{ many: number }]>(count, [bandId]))[0].many < many) await pause(10);
    },
    async fullSync(bandId) {
      const engine = app.get(SyncEngine);
      const id = await engine.enqueue({
        kind: 'band',
        priority: 'high',
        orderingKey: `band:${bandId}`,
        bandId,
        mode: 'full',
        cause: 'bench',
      });
      while ((await engine.operation(id)).status !== 'completed') await pause(10);
    },
  };
}
