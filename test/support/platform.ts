import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { GoogleDriveOptions } from '@soleil/drive';
import type { SyncOptions } from '@soleil/sync';
import { projectRoot, readConfig } from '../../apps/platform/src/config.js';
import { migrate } from '../../apps/platform/src/database.js';
import { createPlatform } from '../../apps/platform/src/platform.js';
import { Cable } from './cable.js';
import { migratedDatabase, type TestDatabase } from './database.js';

/** The whole platform in this process: a real database, a real folder, a port of its own. */
export interface TestPlatform {
  app: NestExpressApplication;
  url: string;
  /** The band's folder. Write into it as a person would. */
  libraryDir: string;
  bandId: string;
  database: TestDatabase;
  /** To the database, where there is one. */
  cable: Cable | null;
  /** Signs in and returns the token. */
  signIn(login: string): Promise<string>;
  /** A REST call; `token` is sent as a bearer. */
  call(
    path: string,
    options?: { token?: string; method?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Response>;
  /** Stops it, and leaves database and folder as they are. */
  stop(): Promise<void>;
  /** Starts it again on the same database and folder, on another port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface TestPlatformOptions {
  /** Files to begin with; default: none. `demo` copies the demo library. */
  files?: 'demo' | 'none';
  sync?: SyncOptions;
  /** Beside what points it to the database and the folder. */
  env?: Record<string, string>;
  google?: Partial<GoogleDriveOptions>;
  /** Puts a cable between it and its database. */
  withCable?: boolean;
}

export async function startPlatform({
  files = 'none',
  sync,
  env,
  google,
  withCable = false,
}: TestPlatformOptions = {}): Promise<TestPlatform> {
  const database = await migratedDatabase('platform', migrate);
  const home = await mkdtemp(join(tmpdir(), 'soleil-test-'));
  const libraryDir = join(home, 'library');
  if (files === 'demo') await cp(join(projectRoot, 'library'), libraryDir, { recursive: true });
  else await mkdir(libraryDir);
  const cable = withCable ? await Cable.plug(() => database.url) : null;
  const url = new URL(database.url);
  if (cable) url.port = new URL(cable.url).port;
  const places = { DATABASE_URL: url.href, LIBRARY_DIR: libraryDir, DATA_DIR: home };
  const config = readConfig({ PORT: '0', ...places, DEMO: 'on', ...env });

  const platform = {
    libraryDir,
    database,
    cable,
    async signIn(login: string): Promise<string> {
      const response = await platform.call('/auth/sign-in', { method: 'POST', body: { login, password: 'rehearsal' } });
      return ((await response.json()) as { token: string }).token;
    },
    call(path, { token, method = 'GET', body, headers = {} } = {}) {
      return fetch(`${platform.url}${path}`, {
        method,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    },
    async stop() {
      await platform.app.close();
    },
    async restart() {
      platform.app = await createPlatform({ config, databaseUrl: url.href, logger: ['error', 'fatal'], sync, google });
      await platform.app.listen(0, '127.0.0.1');
      platform.url = `http://127.0.0.1:${(platform.app.getHttpServer().address() as AddressInfo).port}`;
    },
    async close() {
      await platform.stop();
      await cable?.remove();
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  } as TestPlatform;
  await platform.restart();
  const response = await platform.call('/auth/me', { token: await platform.signIn('lea') });
  platform.bandId = ((await response.json()) as { bands: { bandId: string }[] }).bands[0]!.bandId;
  return platform;
}
