import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Bus, OnQuestion, type Answer, type Ask } from '@soleil/bus';
import type { ContentSummary } from '@soleil/sync-protocol';
import { DataSource } from 'typeorm';
import { audiencesFor } from './audience.js';
import { ContentSettings } from './content-options.js';
import { ContentStore } from './content-store.js';
import { Parser } from './parser.js';
import { Teller } from './teller.js';

/** Answers the bus's `content.*` questions and tells the `content.*` facts. */
@Injectable()
export class ContentAnswers implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly log = new Logger('Content');
  private readonly parser: Parser;
  private readonly teller: Teller;
  private readonly store: ContentStore;

  constructor(
    private readonly bus: Bus,
    @InjectDataSource() dataSource: DataSource,
    settings: ContentSettings,
  ) {
    this.parser = new Parser(settings, (file, fault) =>
      this.log.warn(`File ${file.fileId}, revision ${file.revision}, cannot be read`, fault),
    );
    this.teller = new Teller(dataSource, bus, settings, (message, error) => this.log.warn(message, error));
    this.store = new ContentStore(dataSource, () => this.teller.wake());
  }

  onApplicationBootstrap(): void {
    this.teller.start(() => this.store.reportOutdated());
    void this.parser.warmUp();
  }

  async onModuleDestroy(): Promise<void> {
    await this.teller.stop();
  }

  /** After those who ask have ended: a chart that is being read is not broken. */
  async onApplicationShutdown(): Promise<void> {
    await this.parser.close();
  }

  @OnQuestion('content.audiences_requested')
  answerAudiences({ instrument, role }: Ask<'content.audiences_requested'>): Answer<'content.audiences_requested'> {
    return { audiences: audiencesFor(instrument, role) };
  }

  /** A revision that was read before is not read again. One that a newer has overtaken gets its verdict too, but is not remembered. */
  @OnQuestion('content.parse_requested')
  async parse({
    file,
    operationId,
  }: Ask<'content.parse_requested'>): Promise<Answer<'content.parse_requested'> & { content: ContentSummary }> {
    const { fileId, revision } = file;
    const known = file.problem ? null : await this.store.find(file);
    if (known) return { audience: known.audience, content: known };
    const content = await this.parser.parse(file, async (limit) => {
      const { bytes } = await this.bus.request('drive.bytes_requested', { fileId, revision, limit });
      return bytes;
    });
    await this.store.save(file, content, operationId);
    return { audience: content.audience, content };
  }

  @OnQuestion('content.forget_requested')
  async forget(removal: Ask<'content.forget_requested'>): Promise<Answer<'content.forget_requested'>> {
    return { forgotten: await this.store.forget(removal) };
  }
}
