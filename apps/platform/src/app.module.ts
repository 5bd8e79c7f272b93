import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule, presentedToken } from '@soleil/auth';
import { BusModule } from '@soleil/bus';
import { ContentModule } from '@soleil/content';
import { DriveModule, GoogleDriveProvider, type DriveProvider, type GoogleDriveOptions } from '@soleil/drive';
import { SyncModule, type SyncOptions } from '@soleil/sync';
import type { PlatformConfig } from './config.js';
import { dataSourceOptions } from './database.js';
import { DemoBand } from './demo/demo-band.js';
import { DemoController } from './demo/demo.controller.js';
import { FileAccess } from './rest/file-access.js';
import { FilesController } from './rest/files.controller.js';
import { HealthController } from './rest/health.controller.js';
import { LibraryController } from './rest/library.controller.js';
import { SessionController } from './rest/session.controller.js';
import { PLATFORM_CONFIG } from './tokens.js';

/** The band platform: the four modules on one bus and one database, and the REST calls that need more than one of them. */
@Module({})
export class AppModule {
  /** @param databaseUrl of a migrated database */
  static forRoot(
    config: PlatformConfig,
    databaseUrl: string,
    sync: SyncOptions = {},
    google: Partial<GoogleDriveOptions> = {},
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [
        BusModule,
        TypeOrmModule.forRoot({ ...dataSourceOptions(databaseUrl), retryAttempts: 0 }),
        AuthModule.forRoot({ secret: config.authSecret }),
        DriveModule.forRoot({ providers: providersOf(config, google), maxFileBytes: config.maxFileBytes }),
        ContentModule.forRoot({}),
        SyncModule.forRoot({ readToken: presentedToken, ...sync }),
      ],
      controllers: [
        SessionController,
        LibraryController,
        FilesController,
        HealthController,
        ...(config.demo ? [DemoController] : []),
      ],
      providers: [{ provide: PLATFORM_CONFIG, useValue: config }, FileAccess, DemoBand],
      exports: [DemoBand],
    };
  }
}

function providersOf({ google, publicUrl }: PlatformConfig, options: Partial<GoogleDriveOptions>): DriveProvider[] {
  if (!google) return [];
  const webhookUrl = publicUrl?.startsWith('https:') ? new URL('/sync/webhook/drive', publicUrl).href : null;
  return [new GoogleDriveProvider({ credentials: google.credentials, webhookUrl, ...options })];
}
