import { CodedError } from '@soleil/bus';
import { wireError, type WireError } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

interface Operation {
  id: string;
  kind: string;
  status: string;
  fileId: string | null;
  attempts: number;
  losses: number;
  errorCode: string | null;
  errorRemedy: string | null;
}

const unreadable = new CodedError({
  code: 'file_unknown',
  message: 'No such file.',
  remedy: 'Look again.',
  status: 404,
});

describe('operations over REST', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database);
    sync.band.join('tina', 'b1', 'trumpet');
    sync.band.join('alma', 'b1', 'alto sax');
    sync.band.join('lea', 'b1', 'piano', 'leader');
    sync.band.join('leo', 'b2', 'piano', 'leader');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const call = (token: string, method: 'GET' | 'POST', path: string): Promise<Response> =>
    fetch(`${sync.url}/sync/operations${path}`, { method, headers: { authorization: `Bearer ${token}` } });
  const errorOf = async (response: Response): Promise<WireError & { status: number }> => ({
    ...wireError.parse(((await response.json()) as { error: unknown }).error),
    status: response.status,
  });
  const list = async (query = ''): Promise<Operation[]> =>
    ((await (await call('lea', 'GET', query)).json()) as { operations: Operation[] }).operations;
  /** Asks until the first of these is like that. */
  const first = async (query: string, like: (operation: Operation) => boolean = () => true): Promise<Operation> => {
    for (;;) {
      const [operation] = await list(query);
      if (operation && like(operation)) return operation;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const follow = async (channel: string): Promise<Follower> => {
    const socket = stockClient(sync.url, { token: 'tina' });
    sockets.push(socket);
    const follower = new Follower(socket, channel);
    await follower.subscribe();
    return follower;
  };
  const file = { fileId: 'f1', bandId: 'b1', path: 'Tune_Bb.pdf', audience: 'Bb', text: 'first' };
  const dead = async (): Promise<Operation> => {
    sync.band.failNext = unreadable;
    await sync.tell('drive.file_changed', 'f1');
    return first('?status=dead');
  };
  const calls = [
    ['GET', '/items'],
    ['POST', '/cancel'],
    ['POST', '/retry'],
    ['POST', '/discard'],
  ] as const;

  it('tries a dead one again', async () => {
    const tina = await follow('band:b1:Bb');
    sync.band.files.set('f1', { ...file, revision: 1 });
    const { id, errorCode, errorRemedy } = await dead();
    expect({ errorCode, errorRemedy }).toEqual({ errorCode: 'file_unknown', errorRemedy: 'Look again.' });
    const again = await call('lea', 'POST', `/${id}/retry`);
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ id, bandId: 'b1' });
    await tina.count(1);
    expect(await first(`?kind=file`, ({ status }) => status === 'completed')).toMatchObject({
      id,
      attempts: 1,
      errorRemedy: null,
    });
    expect(await errorOf(await call('lea', 'POST', `/${id}/retry`))).toMatchObject({
      status: 409,
      code: 'operation_not_dead',
      details: { status: 'completed' },
    });
  });

  it('tells how often an operation was lost with its server, and tries one that was lost too often again', async () => {
    const tina = await follow('band:b1:Bb');
    sync.band.files.set('f1', { ...file, revision: 1 });
    await sync.database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, attempts, losses, lease_token, lease_until)
       values (gen_random_uuid(), 'file', 'running', 2, 'file:f1', 'b1', 'f1', 'drive.file_added', 1, 9, gen_random_uuid(), clock_timestamp())`,
    );
    const { id, ...lost } = await first('?status=dead');
    expect(lost).toMatchObject({ attempts: 0, losses: 10, errorCode: 'lost_too_often' });
    expect(lost.errorRemedy).toContain('log of the servers');
    await call('lea', 'POST', `/${id}/retry`);
    await tina.count(1);
    expect(await first('?kind=file', ({ status }) => status === 'completed')).toMatchObject({ id, attempts: 1, losses: 0 });
  });

  it('gives a dead one up, once', async () => {
    sync.band.files.set('f1', { ...file, revision: 1 });
    const { id } = await dead();
    expect(await (await call('lea', 'POST', `/${id}/discard`)).json()).toMatchObject({ id, status: 'cancelled' });
    expect(await list('?status=dead')).toEqual([]);
    expect(await errorOf(await call('lea', 'POST', `/${id}/discard`))).toMatchObject({ code: 'operation_not_dead' });
  });

  it('cancels one in the middle of its work, and nothing of it takes effect', async () => {
    const tina = await follow('band:b1:Bb');
    const question = sync.band.delay('file');
    await sync.save(file);
    await question.asked;
    const { id } = await first('?status=running');
    const cancelled = await call('lea', 'POST', `/${id}/cancel`);
    expect(cancelled.status).toBe(200);
    expect(await cancelled.json()).toMatchObject({ id, status: 'cancelled', errorCode: 'cancelled' });
    question.answer();
    await sync.save({ ...file, fileId: 'f2', text: 'second' });
    await tina.count(1);
    expect(tina.messages.map(({ key }) => key)).toEqual(['file:f2']);
    expect(await errorOf(await call('lea', 'POST', `/${id}/cancel`))).toMatchObject({
      status: 409,
      code: 'operation_finished',
    });
  });

  it('shows what became of each file of a full sync, those that failed first and why', async () => {
    for (const fileId of ['g1', 'g2', 'g3']) sync.band.files.set(fileId, { ...file, fileId, text: fileId, revision: 1 });
    sync.band.failNext = unreadable;
    const answer = await fetch(`${sync.url}/sync/trigger`, {
      method: 'POST',
      headers: { authorization: 'Bearer lea', 'content-type': 'application/json' },
      body: JSON.stringify({ bandId: 'b1', mode: 'full' }),
    });
    const { operationId } = (await answer.json()) as { operationId: string };
    const parent = await first('?kind=band', ({ status }) => status === 'completed');
    expect(parent).toMatchObject({ id: operationId, itemsTotal: 3, itemsDone: 3, itemsFailed: 1 });
    const { items } = (await (await call('lea', 'GET', `/${operationId}/items`)).json()) as { items: { fileId: string }[] };
    expect(items).toHaveLength(3);
    expect(items[0]).toEqual({
      fileId: expect.any(String),
      byOperation: (await list('?status=dead'))[0]!.id,
      status: 'failed',
      errorCode: 'file_unknown',
      errorMessage: 'No such file.',
      finishedAt: expect.any(String),
    });
    expect(items.slice(1)).toMatchObject([{ status: 'completed' }, { status: 'completed' }]);
    expect(await (await call('lea', 'GET', `/${operationId}/items?limit=1`)).json()).toEqual({ items: [items[0]] });
    expect(await errorOf(await call('lea', 'GET', `/${operationId}/items?limit=0`))).toMatchObject({
      code: 'request_invalid',
    });
  });

  it('lets those who may see it and do not lead do nothing, and tells others nothing', async () => {
    const tina = await follow('band:b1:Bb');
    await sync.save(file);
    await tina.count(1);
    const { id } = await dead();
    for (const [method, path] of calls) {
      expect(await errorOf(await call('tina', method, `/${id}${path}`))).toMatchObject({
        status: 403,
        code: 'leader_only',
      });
      const unknown = await errorOf(await call('lea', method, `/00000000-0000-4000-8000-000000000000${path}`));
      expect(unknown).toMatchObject({ status: 404, code: 'operation_unknown' });
      expect(await errorOf(await call('alma', method, `/${id}${path}`))).toEqual(unknown);
      expect(await errorOf(await call('leo', method, `/${id}${path}`))).toEqual(unknown);
      expect(await errorOf(await call('lea', method, `/1;drop${path}`))).toEqual(unknown);
    }
    expect(await list('?status=dead')).toMatchObject([{ id }]);
  });

  it('lists by kind, and by band only to who leads it', async () => {
    await sync.save(file);
    await first('?kind=file', ({ status }) => status === 'completed');
    expect(await list('?kind=band')).toEqual([]);
    expect(await list('?bandId=b1')).toMatchObject([{ kind: 'file', fileId: 'f1' }]);
    expect(await errorOf(await call('lea', 'GET', '?bandId=b2'))).toMatchObject({ code: 'leader_only' });
    expect(await errorOf(await call('lea', 'GET', '?kind=any'))).toMatchObject({ code: 'request_invalid' });
  });
});
