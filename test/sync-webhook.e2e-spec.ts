import { jest } from '@jest/globals';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';
import { SyncOperation } from '@soleil/sync';
import { wireError, type WireError } from '@soleil/sync-protocol';
import { Cable } from './support/cable.js';
import type { TestDatabase } from './support/database.js';
import { startSyncApp, syncDatabase, type SyncApp } from './support/sync-app.js';

describe('the webhook', () => {
  let database: TestDatabase;
  let sync: SyncApp;

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database);
    sync.band.join('tina', 'b1', 'trumpet');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await sync.close();
    await database.drop();
  });

  const url = (): string => `${sync.url}/sync/webhook/drive`;
  const notification = (number: number, changed: Record<string, string> = {}): Record<string, string> => ({
    'x-channel-id': 'b1',
    'x-channel-token': 'secret-of-b1',
    'x-channel-number': String(number),
    'x-channel-state': 'change',
    ...changed,
  });
  const post = (headers: Record<string, string>, body?: string): Promise<Response> =>
    fetch(url(), { method: 'POST', headers, ...(body === undefined ? {} : { body }) });
  const errorOf = async (response: Response): Promise<WireError & { status: number }> => ({
    ...wireError.parse(((await response.json()) as { error: unknown }).error),
    status: response.status,
  });
  const operations = (): Promise<SyncOperation[]> =>
    sync.database.getRepository(SyncOperation).find({ order: { createdAt: 'ASC' } });
  const completed = async (count: number): Promise<void> => {
    while ((await operations()).filter(({ status }) => status === 'completed').length < count)
      await new Promise((resolve) => setImmediate(resolve));
  };

  it('has the band looked over, once for a notification, however often it is delivered', async () => {
    const looked = sync.band.delay('rescan');
    const first = await post(notification(2));
    expect([first.status, await first.text()]).toEqual([202, '']);
    await looked.asked;
    looked.answer();
    await completed(1);
    expect((await post(notification(2))).status).toBe(202);
    const all = await operations();
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ kind: 'band', bandId: 'b1', mode: 'delta', priority: 2, cause: 'webhook' });
    expect((await post(notification(3))).status).toBe(202);
    await completed(2);
  });

  it('has stored the operation by the time it answers', async () => {
    const looked = sync.band.delay('rescan');
    await post(notification(2));
    expect(await sync.database.query('select event_id from sync_inbox')).toEqual([{ event_id: 'b1:2' }]);
    expect(await operations()).toHaveLength(1);
    looked.answer();
  });

  it('takes on that a subscription has begun, and has nothing to do', async () => {
    expect((await post(notification(1, { 'x-channel-state': 'sync' }))).status).toBe(202);
    expect(await operations()).toEqual([]);
  });

  it.each([
    ['forged', { 'x-channel-token': 'secret-of-b2' }, 400, 'webhook_invalid'],
    ['of a channel that nobody subscribed to', { 'x-channel-id': 'b9' }, 404, 'webhook_unknown'],
  ])('refuses one that is %s, so that nobody sends it again', async (_, changed, status, code) => {
    const error = await errorOf(await post(notification(2, changed)));
    expect(error).toMatchObject({ status, code, retryable: false });
    expect(error.remedy).not.toBe('');
    expect(await operations()).toEqual([]);
  });

  it('refuses one without headers', async () => {
    expect(await errorOf(await post({}))).toMatchObject({ status: 400, code: 'webhook_invalid' });
    expect(await operations()).toEqual([]);
  });

  it('says in the log that notifications are refused, not once for each, and without what they tried', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    for (let n = 0; n < 20; n++) await post(notification(n, { 'x-channel-token': 'guess' }));
    const lines = warned.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('notification'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('webhook_invalid');
    expect(lines[0]).not.toContain('guess');
  });

  it('says in the log, for those who look closely, what came in, once', async () => {
    const told = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => undefined);
    await post(notification(7));
    expect(told.mock.calls.filter(([line]) => String(line).includes('b1:7'))).toHaveLength(1);
  });

  it('does not look at a body, nor wait for its end', async () => {
    expect((await post({ ...notification(2), 'content-type': 'application/json' }, '{"changed":true}')).status).toBe(202);
    const endless = request(url(), { method: 'POST', headers: notification(3) });
    endless.on('error', () => undefined);
    endless.write(Buffer.alloc(1_000_000));
    const [response] = (await once(endless, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(202);
    response.resume();
    await once(endless, 'close');
    await completed(1);
  });

  it('makes of 2,000 notifications while a look goes on one look more, and stores many in one transaction', async () => {
    const looked = sync.band.delay('rescan');
    await post(notification(1));
    await looked.asked;
    const agent = new Agent({ keepAlive: true, maxSockets: 200 });
    const statuses = await Promise.all(
      Array.from({ length: 2_000 }, async (_, n) => {
        const sent = request(url(), { method: 'POST', agent, headers: notification(n + 2) }).end();
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        response.resume();
        return response.statusCode;
      }),
    );
    agent.destroy();
    expect(new Set(statuses)).toEqual(new Set([202]));
    expect((await operations()).map(({ status }) => status)).toEqual(['running', 'pending']);
    const [{ events, transactions }] = await sync.database.query<[{ events: number; transactions: number }]>(
      'select count(*)::int as events, count(distinct xmin::text)::int as transactions from sync_inbox',
    );
    expect(events).toBe(2_001);
    expect(transactions).toBeLessThan(events / 4);
    looked.answer();
    await completed(2);
  });

  it('asks to be told again while the database is away, and takes the notification on afterwards', async () => {
    await sync.close();
    const cable = await Cable.plug(() => database.url);
    try {
      const through = new URL(database.url);
      through.port = new URL(cable.url).port;
      sync = await startSyncApp({ ...database, url: through.href }, { pollMs: 200 }, sync.band);
      cable.pull();
      expect(await errorOf(await post(notification(2)))).toMatchObject({
        status: 503,
        code: 'database_unavailable',
        retryable: true,
      });
      cable.plugIn();
      for (;;) if ((await post(notification(2))).status === 202) break;
      await completed(1);
      expect(await operations()).toHaveLength(1);
    } finally {
      await sync.close();
      await cable.remove();
      sync = await startSyncApp(database, {}, sync.band);
    }
  });
});
