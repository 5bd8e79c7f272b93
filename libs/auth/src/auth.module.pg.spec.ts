import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BusModule } from '@soleil/bus';
import { freshDatabase, type TestDatabase } from '../../../test/support/database.js';
import { quickHashes, TestClock } from '../test/platform.js';
import { authEntities, AuthModule } from './auth.module.js';
import { AuthService } from './auth.service.js';
import { authMigrations } from './migrations/index.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

it('takes its options from a factory, and its tables from its migrations', async () => {
  const clock = new TestClock();
  const testing = await Test.createTestingModule({
    imports: [
      BusModule,
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: database.url,
        entities: authEntities,
        migrations: authMigrations,
        migrationsRun: true,
      }),
      AuthModule.forRootAsync({ useFactory: async () => ({ ...quickHashes, sessionHours: 1, clock: clock.read }) }),
    ],
  }).compile();
  const app = await testing.init();
  const user = { login: 'ella', name: 'Ella Brass', password: 'blue in green' };
  await app.get(AuthService).createUser(user);
  await expect(app.get(AuthService).signIn(user)).resolves.toMatchObject({ expiresAt: '2026-11-20T19:00:00.000Z' });
  await app.close();
});
