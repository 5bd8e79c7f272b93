import { BadRequestException, Body, Controller, Headers, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BusModule } from '@soleil/bus';
import { startPostgres } from '@soleil/devdb';
import { ErrorFilter, EventBroadcaster, SyncModule, syncEntities, syncMigrations } from '@soleil/sync';
import { Column, DataSource, Entity, PrimaryGeneratedColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Choir } from './choir.js';

/** A table of the platform's own, of which Sync knows nothing. */
@Entity('choir_note')
class Note {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  author!: string;

  @Column('text')
  text!: string;
}

class ChoirNotes1770000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table choir_note (id serial primary key, author text not null, text text not null)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table choir_note');
  }
}

@Controller()
class ChoirController {
  constructor(
    private readonly choir: Choir,
    private readonly database: DataSource,
    private readonly broadcaster: EventBroadcaster,
  ) {}

  @Post('auth/sign-in')
  @HttpCode(200)
  signIn(@Body() { login, password }: { login: string; password: string }): { token: string } {
    return { token: this.choir.signIn(login, password) };
  }

  /** The note and the message about it are one transaction: there is never one without the other. */
  @Post('notes')
  async write(@Headers('authorization') authorization: string = '', @Body() { text }: { text: string }): Promise<Note> {
    const { userId } = this.choir.principal({ token: authorization.replace('Bearer ', '') });
    if (typeof text !== 'string' || text === '') throw new BadRequestException('A note needs a text.');
    return this.database.transaction(async (transaction) => {
      const note = await transaction.save(Note, { author: userId, text });
      await this.broadcaster.toBand('choir', { type: 'note', key: `note:${note.id}`, data: note }, { transaction });
      return note;
    });
  }
}

const url = process.env['DATABASE_URL'] ?? (await startPostgres({ dataDir: '.data/postgres' })).url();

@Module({
  imports: [
    BusModule,
    TypeOrmModule.forRoot({
      type: 'postgres',
      url,
      entities: [...syncEntities, Note],
      migrations: [...syncMigrations, ChoirNotes1770000000001],
      migrationsRun: true,
    }),
    SyncModule.forRoot(),
  ],
  controllers: [ChoirController],
  providers: [Choir],
})
class ChoirModule {}

const app = await NestFactory.create(ChoirModule, {
  logger: ['warn', 'error', 'fatal', 'log'],
  forceCloseConnections: true,
});
app.useGlobalFilters(new ErrorFilter());
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3100, '127.0.0.1');
await app.get(Choir).save('ave-verum', 'Ave verum', 'Ave verum corpus\nnatum de Maria Virgine');
console.log(`The choir is at ${await app.getUrl()}`);
