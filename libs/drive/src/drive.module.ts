import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DriveAnswers } from './drive-answers.js';
import { DriveService } from './drive.service.js';
import { driveOptions, type DriveOptions } from './options.js';
import { driveEntities } from './schema.js';
import { DRIVE_OPTIONS } from './tokens.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<Partial<DriveOptions>>({
  moduleName: 'Drive',
})
  .setClassMethodName('forRoot')
  .build();

/**
 * The bands' files: `DriveModule.forRoot(options)` or `forRootAsync`. Needs the application's `BusModule` and DataSource,
 * the latter with `driveEntities` and `driveMigrations`.
 */
@Module({
  imports: [TypeOrmModule.forFeature(driveEntities)],
  providers: [
    { provide: DRIVE_OPTIONS, inject: [MODULE_OPTIONS_TOKEN], useFactory: driveOptions },
    DriveService,
    DriveAnswers,
  ],
  exports: [DriveService],
})
export class DriveModule extends ConfigurableModuleClass {}
