import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { NodeLink, type NodeNews } from './node-link.js';

// What the tests provoke is not news.
Logger.overrideLogger(['error', 'fatal']);

// An error that is thrown at a notification ends a process, and this test.
test('takes what is no news for nothing, whoever notified it, and hears what follows', async () => {
  const testDatabase = await syncDatabase();
  const database = await new DataSource({ type: 'postgres', url: testDatabase.url }).initialize();
  const link = new NodeLink(database, 'here');
  const heard: NodeNews[] = [];
  const told = new Promise<void>((resolve) =>
    link.onNews((news) => {
      heard.push(news);
      if (news.kind === 'outbox') resolve();
    }),
  );
  link.onNews((news) => {
    if (news.kind === 'heads') throw new Error(`No heads: ${JSON.stringify(news.heads)}`);
  });
  await link.start();
  const notify = (payload: string): Promise<unknown> => database.query('select pg_notify($1, $2)', ['soleil_sync', payload]);
  for (const payload of ['', 'no JSON', 'null', '[]', '{"node":"there","news":{"kind":"heads"}}']) await notify(payload);
  await notify(JSON.stringify({ node: 'there', news: { kind: 'outbox' } }));
  await told;
  expect(heard.at(-1)).toEqual({ kind: 'outbox' });
  await link.stop();
  await database.destroy();
  await testDatabase.drop();
});
