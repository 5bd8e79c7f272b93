import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Bus, BusModule, type FileFact } from '@soleil/bus';
import { SyncModule, syncEntities, type SyncOptions } from '@soleil/sync';
import { protocolVersion } from '@soleil/sync-protocol';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { DataSource } from 'typeorm';
import type { TestDatabase } from './database.js';
import { SmallBand, type SmallFile } from './small-band.js';
import { syncDatabase } from './sync-database.js';

/** A Nest application with SyncModule, a real database and a {@link SmallBand}, listening on a port of its own. */
export interface SyncApp {
  app: INestApplication;
  bus: Bus;
  band: SmallBand;
  database: DataSource;
  url: string;
  /** Saves a file in the band and tells the bus, as Drive would. @returns the event's id */
  save(file: Omit<SmallFile, 'revision'>): Promise<string>;
  tell(
    name: 'drive.file_added' | 'drive.file_changed' | 'drive.file_removed',
    fileId: string,
    eventId?: string,
  ): Promise<void>;
  close(): Promise<void>;
}

export { syncDatabase };

/** @param database of {@link syncDatabase}; several applications may share one, as the nodes of a cluster do */
export async function startSyncApp(
  database: TestDatabase,
  options: SyncOptions = {},
  band = new SmallBand(),
): Promise<SyncApp> {
  const module = await Test.createTestingModule({
    imports: [
      BusModule,
      TypeOrmModule.forRoot({ type: 'postgres', url: database.url, entities: syncEntities, retryAttempts: 0 }),
      SyncModule.forRoot(options),
    ],
    providers: [{ provide: SmallBand, useValue: band }],
  }).compile();
  const app = module.createNestApplication({ logger: ['error', 'fatal'], forceCloseConnections: true });
  await app.listen(0, '127.0.0.1');
  const bus = app.get(Bus);
  const tell: SyncApp['tell'] = async (name, fileId, eventId = randomUUID()) => {
    const { bandId, path, revision } = band.files.get(fileId)!;
    const fact: FileFact = { eventId, bandId, fileId, path, revision, at: new Date().toISOString() };
    await bus.publish(name, fact);
  };
  return {
    app,
    bus,
    band,
    database: app.get(DataSource),
    url: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`,
    tell,
    async save(file) {
      const before = band.files.get(file.fileId);
      band.files.set(file.fileId, { ...file, revision: (before?.revision ?? 0) + 1 });
      const eventId = randomUUID();
      await tell(before ? 'drive.file_changed' : 'drive.file_added', file.fileId, eventId);
      return eventId;
    },
    close: () => app.close(),
  };
}

/** A stock Socket.IO client on `/sync`. */
export function stockClient(
  url: string,
  auth: Record<string, unknown> = {},
  options: Partial<ManagerOptions & SocketOptions> = {},
): Socket {
  return io(`${url}/sync`, {
    auth: { protocol: protocolVersion, deviceId: `device-${randomUUID()}`, ...auth },
    reconnection: false,
    forceNew: true,
    transports: ['websocket'],
    ...options,
  });
}

/** The arguments of the next such event. */
export function next<Event = never>(socket: Socket, event: string): Promise<Event> {
  return new Promise((resolve) => {
    socket.once(event, (frame: Event) => resolve(frame));
  });
}
