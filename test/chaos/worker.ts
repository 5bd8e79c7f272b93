/** A server that works operations, or that also tells of files; started by `operations.ts`. */
import 'reflect-metadata';
import { setTimeout as pass } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Bus, BusModule } from '@soleil/bus';
import { SyncEngine, SyncModule, syncEntities } from '@soleil/sync';
import type { FromWorker, ToWorker, WorkerSetting } from './messages.js';
import { Random } from './random.js';
import { bandIdOf, fileIdOf, Shelf, ShelfBand } from './shelf.js';

const setting = JSON.parse(process.argv[2]!) as WorkerSetting;
const tellersAtOnce = 64;
const random = new Random(setting.seed);
const shelf = Shelf.open(setting.shelf);

const imports = [
  BusModule,
  TypeOrmModule.forRoot({
    type: 'postgres',
    url: setting.databaseUrl,
    entities: syncEntities,
    poolSize: 20,
    // It may be started while PostgreSQL is not.
    retryAttempts: 1_000,
    retryDelay: 100,
  }),
  SyncModule.forRoot({ node: setting.name, workers: 8 }),
];

@Module({ imports, providers: [{ provide: ShelfBand, useValue: new ShelfBand(shelf, setting.files, random) }] })
class ChaosWorker {}

const app = await NestFactory.create(ChaosWorker, { logger: ['warn', 'error', 'fatal', 'log'] });
await app.init();
const bus = app.get(Bus);
const engine = app.get(SyncEngine);

/** As Drive does: until there is a receipt. */
async function untilDone(tell: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await tell();
      return;
    } catch {
      await pass(50);
    }
  }
}

/** Changes a file, and tells it: every fourth time twice. */
async function change(n: number): Promise<void> {
  const file = random.between(0, setting.files - 1);
  const [fileId, bandId] = [fileIdOf(file), bandIdOf(file)];
  const fact = {
    eventId: `e${n}`,
    fileId,
    bandId,
    path: fileId,
    revision: shelf.change(file),
    at: new Date().toISOString(),
  };
  const tell = (): Promise<void> => untilDone(() => bus.publish('drive.file_changed', fact));
  await tell();
  if (n % 4 > 0) return;
  await pass(random.between(0, 200));
  await tell();
}

let told = 0;
async function tell(upTo: number): Promise<void> {
  const teller = async (): Promise<void> => {
    while (told < upTo) await change(told++);
  };
  await Promise.all(Array.from({ length: tellersAtOnce }, teller));
}

const say = (message: FromWorker): void => void process.send?.(message);
process.on('disconnect', () => process.exit());
process.on('message', (message: ToWorker) => {
  if (message.say === 'tell') void tell(message.upTo).then(() => say({ say: 'told' }));
  else
    void untilDone(() =>
      engine.enqueue({
        kind: 'band',
        mode: 'full',
        bandId: message.bandId,
        orderingKey: `band:${message.bandId}`,
        priority: 'normal',
        cause: 'request',
      }),
    );
});
say({ say: 'ready' });
