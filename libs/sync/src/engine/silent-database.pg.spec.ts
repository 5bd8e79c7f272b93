import { DataSource } from 'typeorm';
import { Cable } from '../../../../test/support/cable.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { bandOperation, fileOperation } from './band-work.js';
import { Intake, type NewOperation } from './intake.js';
import { OperationQueue } from './operation-queue.js';

it('a connection that died without a word fails what waits for it, and nothing later', async () => {
  const testDatabase = await syncDatabase();
  const cable = await Cable.plug(() => testDatabase.url);
  const url = new URL(testDatabase.url);
  url.port = new URL(cable.url).port;
  const database = await new DataSource({
    type: 'postgres',
    url: url.href,
    entities: [SyncOperation],
    poolSize: 1,
  }).initialize();
  const intake = new Intake(database, 300);
  const queue = new OperationQueue(
    database,
    intake,
    { node: 'n', worker: 1, leaseMs: 60_000, bandOperationsPerMinute: null },
    300,
  );
  const news: NewOperation = { ...fileOperation('b1', 'f'), priority: 'high', cause: 'test' };
  const look = { ...bandOperation('b1', 'delta'), priority: 'low', cause: 'test' } as const;
  await intake.enqueue([news]);
  const [claim] = await queue.claim(1, ['high']);
  const failure = { code: 'busy', message: 'Not just now.', remedy: 'Wait.', retryInMs: 0, isFree: false };

  for (const work of [
    () => intake.enqueue([news]),
    () => intake.enqueueLooks([look], { intervalMs: 1 }),
    () => queue.claim(1, ['high']),
    () => queue.renew([claim!]),
    () => queue.reclaim(3, 1_000),
    () => queue.addItems(claim!, []),
    () => queue.spread(claim!),
    () => queue.complete([{ ...claim!, preparedMs: 1 }]),
    () => queue.fail(claim!, failure),
    () => queue.pause('b1', 1_000, failure),
  ]) {
    await database.query('select');
    cable.lose();
    await expect(work()).rejects.toMatchObject({ code: 'database_unavailable' });
  }
  expect((await queue.complete([{ ...claim!, preparedMs: 1 }])).tokens.size).toBe(1);
  await database.destroy();
  await cable.remove();
  await testDatabase.drop();
});
