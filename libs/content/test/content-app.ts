import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import {
  Bus,
  BusModule,
  CodedError,
  OnFact,
  OnQuestion,
  type Answer,
  type Ask,
  type ContentFact,
  type DriveFile,
  type Receipt,
} from '@soleil/bus';
import type { DataSource } from 'typeorm';
import { contentEntities, contentMigrations, ContentModule, ContentService, type ContentOptions } from '../src/index.js';

/** A Drive whose files are what a test put there. */
@Injectable()
export class DriveOfTest {
  readonly bytes = new Map<string, Uint8Array>();
  readonly asked: { fileId: string; limit: number }[] = [];
  /** Waited for before bytes are given. */
  gate: Promise<void> = Promise.resolve();

  put(fileId: string, path: string, text: string | Uint8Array, revision = 1): DriveFile {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    this.bytes.set(`${fileId}@${revision}`, bytes);
    return {
      fileId,
      bandId: 'b1',
      path,
      size: bytes.length,
      hash: `h${revision}`,
      mimeType: 'text/plain',
      revision,
      modifiedAt: '2026-11-01T00:00:00.000Z',
      problem: null,
      hasNewerNamesake: false,
    };
  }

  @OnQuestion('drive.bytes_requested')
  async answer({ fileId, revision, limit }: Ask<'drive.bytes_requested'>): Promise<Answer<'drive.bytes_requested'>> {
    this.asked.push({ fileId, limit });
    const bytes = this.bytes.get(`${fileId}@${revision}`);
    await this.gate;
    if (!bytes)
      throw new CodedError({
        code: 'revision_gone',
        message: 'The file has changed.',
        remedy: 'Ask again.',
        status: 409,
        retryable: true,
      });
    return { bytes: bytes.subarray(0, limit), truncated: bytes.length > limit };
  }
}

/** Takes the facts of Content, as Sync would, and may refuse some. */
@Injectable()
export class FactsOfTest {
  readonly told: (ContentFact & { name: string })[] = [];
  refuse: (fact: ContentFact & { name: string }) => boolean = () => false;
  private heard: () => void = () => undefined;

  /** Resolves once `enough` holds. */
  async until(enough: (told: FactsOfTest['told']) => boolean): Promise<FactsOfTest['told']> {
    while (!enough(this.told)) await new Promise<void>((resolve) => (this.heard = resolve));
    return this.told;
  }

  @OnFact('content.updated')
  onUpdated(fact: ContentFact): Receipt {
    return this.take({ name: 'content.updated', ...fact });
  }

  @OnFact('content.deleted')
  onDeleted(fact: ContentFact): Receipt {
    return this.take({ name: 'content.deleted', ...fact });
  }

  @OnFact('content.metadata_changed')
  onMetadataChanged(fact: ContentFact): Receipt {
    return this.take({ name: 'content.metadata_changed', ...fact });
  }

  private take(fact: ContentFact & { name: string }): Receipt {
    if (this.refuse(fact)) throw new Error('refused');
    this.told.push(fact);
    this.heard();
    return { receipt: fact.eventId };
  }
}

@Module({ providers: [DriveOfTest, FactsOfTest], exports: [DriveOfTest, FactsOfTest] })
class TestModule {}

export interface ContentApp {
  app: INestApplicationContext;
  bus: Bus;
  content: ContentService;
  dataSource: DataSource;
  drive: DriveOfTest;
  facts: FactsOfTest;
}

/** Content in an application, on the database at `url`, between a Drive and a listener of the test. */
export async function startContent(url: string, options: ContentOptions = {}): Promise<ContentApp> {
  const module = await Test.createTestingModule({
    imports: [
      BusModule,
      TypeOrmModule.forRoot({
        type: 'postgres',
        url,
        entities: contentEntities,
        migrations: contentMigrations,
        migrationsRun: true,
      }),
      ContentModule.forRoot(options),
      TestModule,
    ],
  }).compile();
  module.useLogger(false);
  const app = await module.init();
  return {
    app,
    bus: app.get(Bus),
    content: app.get(ContentService),
    dataSource: app.get<DataSource>(getDataSourceToken()),
    drive: app.get(DriveOfTest),
    facts: app.get(FactsOfTest),
  };
}
