import { DataSource } from 'typeorm';
import { Cable } from '../../../../test/support/cable.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { queryWithin } from './borrowed-runner.js';

// An error that nobody takes ends a process, and this test.
test('a connection that was given up before it was there may fail afterwards, and harms nobody', async () => {
  const testDatabase = await syncDatabase();
  const cable = await Cable.plug(() => testDatabase.url);
  const url = new URL(testDatabase.url);
  url.port = new URL(cable.url).port;
  const database = await new DataSource({ type: 'postgres', url: url.href, poolSize: 2 }).initialize();
  const other = database.createQueryRunner();
  await other.connect();
  cable.swallow('everything');
  await expect(queryWithin(database, 100, 'select', [])).rejects.toMatchObject({ code: 'database_unavailable' });
  cable.pull();
  cable.plugIn();
  expect(await queryWithin(database, 10_000, 'select 1 as one', [])).toEqual([{ one: 1 }]);
  await other.release();
  await database.destroy();
  await cable.remove();
  await testDatabase.drop();
});
