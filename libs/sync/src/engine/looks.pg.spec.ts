import { DataSource } from 'typeorm';
import type { TestDatabase } from '../../../../test/support/database.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { SyncItem } from '../entities/sync-item.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { bandOperation, fileOperation } from './band-work.js';
import { OperationQueue, type Claim, type Failure, type Look } from './operation-queue.js';

const minuteMs = 60_000;
const away: Failure = { code: 'folder_missing', message: 'Gone.', remedy: 'Wait.', retryInMs: null, isFree: false };

let testDatabase: TestDatabase;
let database: DataSource;
let queue: OperationQueue;

beforeEach(async () => {
  testDatabase = await syncDatabase();
  database = await new DataSource({
    type: 'postgres',
    url: testDatabase.url,
    entities: [SyncOperation, SyncItem],
    poolSize: 30,
  }).initialize();
  queue = new OperationQueue(database, { node: 'node', worker: 1, leaseMs: minuteMs, bandOperationsPerMinute: null });
});
afterEach(async () => {
  await database.destroy();
  await testDatabase.drop();
});

const look = (bandId: string, priority: Look['priority'] = 'low'): Look => ({
  ...bandOperation(bandId, 'delta'),
  priority,
  cause: 'test',
});
const operations = (): Promise<SyncOperation[]> => database.getRepository(SyncOperation).find();
const claim = async (): Promise<Claim> => (await queue.claim(1, ['high', 'normal', 'low']))[0]!;
const age = (): Promise<unknown> =>
  database.query(
    `update sync_operation set prepared_at = prepared_at - interval '1 hour', finished_at = finished_at - interval '1 hour'`,
  );

it('looks over a band that never was, and again when that was long ago', async () => {
  expect(await queue.enqueueLooks([look('b1'), look('b2')], minuteMs)).toEqual(['b1', 'b2']);
  for (const _ of [1, 2]) await queue.complete([{ ...(await claim()), preparedMs: 1 }]);
  expect(await queue.enqueueLooks([look('b1'), look('b2')], minuteMs)).toEqual([]);
  await age();
  expect(await queue.enqueueLooks([look('b2')], minuteMs)).toEqual(['b2']);
});

it('enqueues one where twenty processes do at the same moment, and leaves bands alone that are not theirs', async () => {
  const bands = ['b1', 'b2', 'b3'].map((bandId) => look(bandId));
  const all = await Promise.all(Array.from({ length: 20 }, () => queue.enqueueLooks(bands, minuteMs)));
  expect(all.flat().sort()).toEqual(['b1', 'b2', 'b3']);
  expect(await operations()).toHaveLength(3);
});

it('joins a look that waits only to make it more urgent', async () => {
  await queue.enqueueLooks([look('b1', 'low')], minuteMs);
  expect(await queue.enqueueLooks([look('b1', 'low')], minuteMs)).toEqual([]);
  expect(await queue.enqueueLooks([look('b1', 'normal')], minuteMs)).toEqual(['b1']);
  expect(await operations()).toMatchObject([{ priority: 2 }]);
});

it('leaves a look that is being done to who does it, however long it takes', async () => {
  await queue.enqueueLooks([look('b1')], minuteMs);
  const { operation } = await claim();
  expect(await queue.enqueueLooks([look('b1', 'high')], 0)).toEqual([]);
  expect((await operations()).map(({ id }) => id)).toEqual([operation.id]);
});

it('looks again while what the last look came upon is still being worked on', async () => {
  await queue.enqueueLooks([look('b1')], minuteMs);
  const held = await claim();
  const item = { ...fileOperation('b1', 'f1'), fileId: 'f1', priority: 'low', cause: 'test' } as const;
  await queue.addItems(held, [item]);
  await queue.spread(held);
  expect(await queue.enqueueLooks([look('b1')], minuteMs)).toEqual([]);
  await age();
  expect(await queue.enqueueLooks([look('b1')], minuteMs)).toEqual(['b1']);
});

it('tries a dead look again an interval later, instead of leaving one more', async () => {
  await queue.enqueueLooks([look('b1')], minuteMs);
  const held = await claim();
  await queue.fail(held, away);
  expect(await queue.enqueueLooks([look('b1')], minuteMs)).toEqual([]);
  await age();
  expect(await queue.enqueueLooks([look('b1')], minuteMs)).toEqual(['b1']);
  expect(await operations()).toMatchObject([{ id: held.operation.id, status: 'pending', attempts: 0 }]);
});

it('leaves a look that may be what ends workers to people, and makes a new one', async () => {
  await queue.enqueueLooks([look('b1')], minuteMs);
  await queue.fail(await claim(), { ...away, code: 'worker_lost' });
  await age();
  expect(await queue.enqueueLooks([look('b1')], minuteMs)).toEqual(['b1']);
  expect((await operations()).map(({ status }) => status).sort()).toEqual(['dead', 'pending']);
});
