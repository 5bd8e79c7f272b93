import { DataSource } from 'typeorm';
import { Cable } from '../../../../test/support/cable.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { QueueParts } from '../../test/queue-parts.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { bandOperation, fileOperation } from '../engine/band-work.js';
import { OperationHistory } from '../engine/operation-history.js';
import type { NewOperation } from './intake.js';

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
  const queue = new QueueParts(database, 300);
  const { intake, items, settlements, paces, cancellations } = queue;
  const history = new OperationHistory(queue.database, { operationDays: 30, retentionIntervalMs: 60_000 });
  const { leases, losses } = queue.process(1);
  const news: NewOperation = { ...fileOperation('b1', 'f'), priority: 'high', cause: 'test' };
  const look = { ...bandOperation('b1', 'delta'), priority: 'low', cause: 'test' } as const;
  await intake.enqueue([news]);
  const [claim] = await leases.claim(1, ['high']);
  const { id } = claim!.operation;
  const failure = { code: 'busy', message: 'Not just now.', remedy: 'Wait.', retryInMs: 0, isFree: false };

  for (const work of [
    () => intake.enqueue([news]),
    () => intake.enqueueLooks([look], { intervalMs: 1 }),
    () => leases.claim(1, ['high']),
    () => leases.renew([claim!]),
    () => losses.reclaim(3, 1_000),
    () => items.add(claim!, []),
    () => items.spread(claim!),
    () => settlements.complete([{ ...claim!, preparedMs: 1 }]),
    () => settlements.fail(claim!, failure),
    () => paces.pause('b1', 1_000, failure),
    () => paces.pauseOf('b1'),
    () => intake.retry(id),
    () => cancellations.cancel(id),
    () => cancellations.discard(id),
    () => history.prune(),
    () => queue.database.read((manager) => manager.findOneBy(SyncOperation, { id })),
  ]) {
    await database.query('select');
    cable.lose();
    await expect(work()).rejects.toMatchObject({ code: 'database_unavailable' });
  }
  expect((await settlements.complete([{ ...claim!, preparedMs: 1 }])).tokens.size).toBe(1);
  await database.destroy();
  await cable.remove();
  await testDatabase.drop();
});
