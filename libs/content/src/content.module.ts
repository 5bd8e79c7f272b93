import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ContentAnswers } from './content-answers.js';
import { ContentFactRow } from './content-fact.entity.js';
import { ContentFile } from './content-file.entity.js';
import { ContentSettings, type ContentOptions } from './content-options.js';
import { ContentService } from './content.service.js';

export const contentEntities = [ContentFile, ContentFactRow];

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<ContentOptions>({
  moduleName: 'Content',
})
  .setClassMethodName('forRoot')
  .build();

/**
 * What the files mean: songs, parts, charts, setlists. Needs the application's TypeORM DataSource (with
 * `contentEntities` and `contentMigrations`) and the global BusModule, over which Drive must answer
 * `drive.bytes_requested`.
 */
@Module({
  imports: [TypeOrmModule.forFeature(contentEntities)],
  providers: [
    ContentService,
    ContentAnswers,
    {
      provide: ContentSettings,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: ContentOptions) => ContentSettings.from(options),
    },
  ],
  exports: [ContentService],
})
export class ContentModule extends ConfigurableModuleClass {}
