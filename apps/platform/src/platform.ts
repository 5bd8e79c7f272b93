import type { LoggerService, LogLevel } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { GoogleDriveOptions } from '@soleil/drive';
import { ErrorFilter, type SyncOptions } from '@soleil/sync';
import { AppModule } from './app.module.js';
import type { PlatformConfig } from './config.js';
import { migrate } from './database.js';
import { DemoBand } from './demo/demo-band.js';
import { describeApi } from './open-api.js';
import { Sockets } from './sockets.js';
import { serveStage } from './stage-pages.js';

export interface PlatformStart {
  config: PlatformConfig;
  databaseUrl: string;
  logger?: LoggerService | LogLevel[];
  /** For tests: other than the defaults of SyncModule. */
  sync?: SyncOptions;
  /** For tests: where Google is, and other than the defaults of its provider. */
  google?: Partial<GoogleDriveOptions>;
}

/** Migrates, and makes the platform ready to listen. */
export async function createPlatform({
  config,
  databaseUrl,
  logger = ['warn', 'error', 'fatal'],
  sync,
  google,
}: PlatformStart): Promise<NestExpressApplication> {
  await migrate(databaseUrl);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config, databaseUrl, sync, google), {
    logger,
    forceCloseConnections: true,
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.useGlobalFilters(new ErrorFilter());
  app.useWebSocketAdapter(new Sockets(app));
  serveStage(app);
  describeApi(app);
  await app.init();
  if (config.demo) await app.get(DemoBand).load();
  return app;
}
