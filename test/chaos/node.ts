/** A server of the chaos run, started by `kill.ts`: SOLEil Sync, a stand-in for its siblings, and a publisher. */
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BusModule } from '@soleil/bus';
import { EventBroadcaster, SyncModule, syncEntities } from '@soleil/sync';
import { DataSource } from 'typeorm';
import { SmallBand } from '../support/small-band.js';
import { playersFor, stages } from './cast.js';
import type { FromNode, NodeSetting, ToNode } from './messages.js';
import { Publisher } from './publisher.js';
import { Random } from './random.js';
import { Record } from './record.js';

const setting = JSON.parse(process.argv[2]!) as NodeSetting;
const numbersPerIncarnation = 1_000_000;
const players = playersFor(setting.devices);
const band = new SmallBand();
for (const { userId, memberships } of players) band.memberships.set(userId, memberships);

const imports = [
  BusModule,
  TypeOrmModule.forRoot({
    type: 'postgres',
    url: setting.databaseUrl,
    entities: syncEntities,
    // It may be started while PostgreSQL is not.
    retryAttempts: 1_000,
    retryDelay: 100,
  }),
  SyncModule.forRoot({
    node: setting.name,
    // Small, so that a run meets what takes days otherwise.
    compactAfterMessages: 300,
    pageMessages: 40,
    tailMessages: 200,
    ackTimeoutMs: 4_000,
    // Old connections of a device may linger on servers that are stopped.
    devicesPerUser: 100,
  }),
];

@Module({ imports, providers: [{ provide: SmallBand, useValue: band }] })
class ChaosNode {}

const app = await NestFactory.create(ChaosNode, { logger: ['warn', 'error', 'fatal', 'log'], forceCloseConnections: true });
if (setting.serves) await app.listen(0, '127.0.0.1');
else await app.init();

const publisher = new Publisher(
  app.get(DataSource),
  app.get(EventBroadcaster),
  new Record(setting.recordFile),
  new Random(setting.seed + setting.incarnation),
  {
    name: `${setting.name}.${setting.incarnation}`,
    firstNumber: setting.incarnation * numbersPerIncarnation,
    channels: stages(players),
    writers: setting.writers,
    thinkMs: setting.thinkMs,
  },
);

const say = (message: FromNode): void => void process.send?.(message);
process.on('disconnect', () => process.exit());
process.on('message', (message: ToNode) => {
  if (message.say === 'resume') publisher.resume();
  else void publisher.pause().then(() => say({ say: 'paused' }));
});
say({ say: 'ready', port: setting.serves ? (app.getHttpServer().address() as AddressInfo).port : 0 });
