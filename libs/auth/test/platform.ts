import { Injectable, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { authEntities, authMigrations, AuthModule, AuthService, type AuthOptions } from '@soleil/auth';
import { Bus, BusModule, OnFact, type Facts, type RightsChange, type SessionEnd } from '@soleil/bus';
import { DataSource } from 'typeorm';
import { migratedDatabase, type TestDatabase } from '../../../test/support/database.js';

type Told = { [Name in keyof Facts]: { name: Name; fact: Facts[Name] } }[keyof Facts];

/** Listens as Sync does. */
@Injectable()
export class Listener {
  readonly told: Told[] = [];
  /** Stands for what a listener does with a fact; whatever it throws reaches the publisher. */
  onFact: (fact: Told['fact']) => Promise<void> | void = () => undefined;

  readonly changes: (RightsChange | SessionEnd)[] = [];
  /** Does what a listener inside a transaction does; whatever it throws undoes the change. */
  onChange: (change: RightsChange | SessionEnd) => Promise<void> | void = () => undefined;

  @OnFact('auth.rights_changing')
  async rightsChanging(change: RightsChange): Promise<void> {
    this.changes.push(change);
    await this.onChange(change);
  }

  @OnFact('auth.session_ending')
  async sessionEnding(change: SessionEnd): Promise<void> {
    this.changes.push(change);
    await this.onChange(change);
  }

  @OnFact('auth.user_logged_in')
  async loggedIn(fact: Facts['auth.user_logged_in']): Promise<void> {
    this.told.push({ name: 'auth.user_logged_in', fact });
    await this.onFact(fact);
  }

  @OnFact('auth.user_logged_out')
  async loggedOut(fact: Facts['auth.user_logged_out']): Promise<void> {
    this.told.push({ name: 'auth.user_logged_out', fact });
    await this.onFact(fact);
  }

  @OnFact('auth.permission_updated')
  async permissionUpdated(fact: Facts['auth.permission_updated']): Promise<void> {
    this.told.push({ name: 'auth.permission_updated', fact });
    await this.onFact(fact);
  }
}

/** A clock that only the test moves. */
export class TestClock {
  private time = Date.parse('2026-11-20T18:00:00.250Z');

  readonly read = (): Date => new Date(this.time);

  advanceMs(ms: number): void {
    this.time += ms;
  }
}

export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;

/** Passwords hashed in no time. */
export const quickHashes: AuthOptions = { passwordMemoryKiB: 64, passwordIterations: 1 };

/** An empty database with Auth's tables. */
export function authDatabase(): Promise<TestDatabase> {
  return migratedDatabase('auth', async (url) => {
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      entities: authEntities,
      migrations: authMigrations,
    }).initialize();
    await dataSource.runMigrations();
    await dataSource.destroy();
  });
}

/** One process of a platform that has Auth only. Close `app` at the end. */
export async function startPlatform(url: string, options: AuthOptions = {}, controllers: Type[] = []) {
  const testing = await Test.createTestingModule({
    imports: [
      BusModule,
      TypeOrmModule.forRoot({ type: 'postgres', url, entities: authEntities, retryAttempts: 0 }),
      AuthModule.forRoot({ ...quickHashes, ...options }),
    ],
    providers: [Listener],
    controllers,
  }).compile();
  const app = testing.createNestApplication({ logger: false });
  await app.init();
  return {
    app,
    auth: app.get(AuthService),
    bus: app.get(Bus),
    listener: app.get(Listener),
    dataSource: app.get(DataSource),
  };
}

export type Platform = Awaited<ReturnType<typeof startPlatform>>;
