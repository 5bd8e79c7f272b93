import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Bus, BusModule, type FileFact, type Membership } from '@soleil/bus';
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
  /** Changes or takes a membership as Auth would, in one transaction. @param after null: there will be none in the band */
  changeRights(userId: string, bandId: string, after: Omit<Membership, 'bandId'> | null): Promise<void>;
  /** Ends the user's session, as Auth would. */
  endSession(userId: string): Promise<void>;
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
  const dataSource = app.get(DataSource);
  return {
    app,
    bus,
    changeRights: (userId, bandId, after) =>
      dataSource.transaction(async (transaction) => {
        const memberships = band.memberships.get(userId) ?? [];
        const before = memberships.find((membership) => membership.bandId === bandId) ?? null;
        const now = after && { bandId, ...after };
        await bus.publish('auth.rights_changing', { userId, bandId, before, after: now, transaction });
        band.memberships.set(userId, [...memberships.filter((membership) => membership !== before), ...(now ? [now] : [])]);
      }),
    async endSession(userId) {
      const sessionId = `session-of-${userId}`;
      await dataSource.transaction(async (transaction) => {
        const memberships = band.memberships.get(userId) ?? [];
        await bus.publish('auth.session_ending', { userId, sessionId, memberships, transaction });
        band.endedSessions.add(sessionId);
      });
      await bus.publish('auth.user_logged_out', { userId, sessionId, at: new Date().toISOString() });
    },
    band,
    database: dataSource,
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
