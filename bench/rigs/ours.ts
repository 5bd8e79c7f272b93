/** A server with SOLEil Sync as an application would have it: PostgreSQL, every message stored, the ledger on. */
import { writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { authEntities, AuthModule, AuthService } from '@soleil/auth';
import { BusModule, OnQuestion, type Answer } from '@soleil/bus';
import { EventBroadcaster, SyncModule, syncEntities } from '@soleil/sync';
import { bandChannel } from '@soleil/sync-protocol';
import { SmallBand } from '../../test/support/small-band.js';
import type { OursSetting } from './messages.js';
import { openPublishPort } from './publish-port.js';
import { serve } from './serve.js';

const setting = JSON.parse(process.argv[2]!) as OursSetting;
const instrument = 'trumpet';

/** Beside the real Auth, somebody must answer for Content and Drive. */
class Siblings {
  @OnQuestion('content.audiences_requested')
  audiences(): Answer<'content.audiences_requested'> {
    return { audiences: ['Bb'] };
  }

  @OnQuestion('drive.bands_requested')
  bands(): Answer<'drive.bands_requested'> {
    return { bandIds: [] };
  }

  @OnQuestion('drive.rescan_requested')
  rescan(): Answer<'drive.rescan_requested'> {
    return { changes: 0, found: [] };
  }
}

const imports: (DynamicModule | typeof BusModule)[] = [
  BusModule,
  TypeOrmModule.forRoot({
    type: 'postgres',
    url: setting.databaseUrl,
    entities: [...syncEntities, ...authEntities],
    poolSize: 20,
  }),
  SyncModule.forRoot(setting.sync ?? {}),
];
const providers: Provider[] = [];
let bandId = 'bench';
if (setting.auth) {
  // Passwords are none of what is measured here.
  imports.push(AuthModule.forRoot({ passwordMemoryKiB: 8, passwordIterations: 1 }));
  providers.push(Siblings);
} else {
  const band = new SmallBand();
  for (let nth = 0; nth < setting.users; nth++) band.join(`u${nth}`, bandId, instrument);
  providers.push({ provide: SmallBand, useValue: band });
}

@Module({ imports, providers })
class BenchNode {}

const app = await NestFactory.create(BenchNode, { logger: ['warn', 'error', 'fatal'] });
await app.init();
if (setting.auth) bandId = await foundBand(app.get(AuthService));
const bandOfAll = bandChannel(bandId);
const broadcaster = app.get(EventBroadcaster);
const publishPort = await openPublishPort(({ channel = bandOfAll, ...data }) =>
  broadcaster.publish({ channel, type: 'note', data }),
);
await serve(app.getHttpServer() as Server, publishPort, bandOfAll);

/** A band in which everybody is signed in. @returns its id */
async function foundBand(auth: AuthService): Promise<string> {
  const { bandId } = await auth.createBand({ name: 'Bench' });
  const tokens: string[] = [];
  const password = 'rehearsal';
  for (let nth = 0; nth < setting.users; nth++) {
    const login = `player${nth}`;
    const { userId } = await auth.createUser({ login, name: login, password });
    await auth.setMembership({ userId, bandId, role: 'member', instrument });
    tokens.push((await auth.signIn({ login, password })).token);
  }
  await writeFile(setting.tokenFile!, `${tokens.join('\n')}\n`);
  return bandId;
}
