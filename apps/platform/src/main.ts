import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { startPostgres, type EmbeddedPostgres } from '@soleil/devdb';
import { readConfig, type PlatformConfig } from './config.js';
import { demoMembers, demoPassword } from './demo/demo-members.js';
import { createPlatform } from './platform.js';
import { requireFreePort } from './port.js';
import { buildStageIfStale } from './stage-build.js';

let app: NestExpressApplication | null = null;
let postgres: EmbeddedPostgres | null = null;
let stopping: Promise<void> | null = null;

/** Ends everything in the order opposite to the start: devices are told, work in flight ends, then the database. */
function stop(): Promise<void> {
  stopping ??= (async () => {
    await app?.close();
    await postgres?.stop();
  })();
  return stopping;
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    console.log(`\nStopping (${signal}) …`);
    void stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

try {
  const config = readConfig(process.env);
  await requireFreePort(config.port, config.host);
  await buildStageIfStale();
  if (config.databaseUrl === undefined) {
    postgres = await startPostgres({
      dataDir: join(config.dataDir, 'postgres'),
      onExit: () => {
        if (stopping) return;
        console.error('The embedded PostgreSQL has ended by itself; stopping.');
        void stop().finally(() => process.exit(1));
      },
    });
  }
  app = await createPlatform({ config, databaseUrl: config.databaseUrl ?? postgres!.url() });
  await app.listen(config.port, config.host);
  announce(config, await app.getUrl());
} catch (error) {
  if (!stopping) {
    const { message, remedy } = error as { message: string; remedy?: string };
    console.error(`\nSOLEil did not start: ${message}${remedy ? `\n${remedy}` : ''}\n`);
    await stop().catch(() => undefined);
    process.exit(1);
  }
}

function announce({ demo, libraryDir, databaseUrl, google }: PlatformConfig, url: string): void {
  const lines = ['', `  SOLEil plays at   ${url}`, `  API               ${url}/api/docs`];
  if (demo) {
    const names = demoMembers.map(
      ({ login, instrument, role }) => `${login} (${role === 'leader' ? 'band leader' : instrument})`,
    );
    const folder = google?.folder ? `https://drive.google.com/drive/folders/${google.folder.folderId}` : libraryDir;
    lines.push(`  Sign in as        ${names.join(', ')}; password: ${demoPassword}`, `  The band's folder ${folder}`);
  }
  lines.push(`  Database          ${databaseUrl === undefined ? 'embedded PostgreSQL' : 'DATABASE_URL'}`, '');
  console.log(lines.join('\n'));
}
