import { CodedError } from '@soleil/bus';
import { SyncEngine, SyncOperation, type SyncOptions } from '@soleil/sync';
import { wireError, type WireError } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

interface Paused {
  since: string;
  until: string;
  code: string;
  message: string;
}

describe('how fast users and bands may go, on two nodes', () => {
  let database: TestDatabase;
  let nodes: [SyncApp, SyncApp];
  const sockets: Socket[] = [];

  async function start(options: SyncOptions): Promise<void> {
    database = await syncDatabase();
    const first = await startSyncApp(database, { retryBaseMs: 20, ...options });
    nodes = [first, await startSyncApp(database, { retryBaseMs: 20, ...options }, first.band)];
    first.band.join('lea', 'b1', 'piano', 'leader');
    first.band.join('tina', 'b1', 'trumpet');
    first.band.join('tom', 'b2', 'trumpet');
  }
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  const call = (node: SyncApp, token: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<Response> =>
    fetch(`${node.url}/sync${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const trigger = (node: SyncApp, token: string): Promise<Response> =>
    call(node, token, 'POST', '/trigger', { bandId: 'b1', mode: 'delta' });
  const errorOf = async (response: Response): Promise<WireError> =>
    wireError.parse(((await response.json()) as { error: unknown }).error);
  const client = (node: SyncApp, token: string): Socket => {
    const socket = stockClient(node.url, { token });
    sockets.push(socket);
    return socket;
  };
  const follow = async (token: string, channel: string): Promise<Follower> => {
    const follower = new Follower(client(nodes[1], token), channel);
    await follower.subscribe();
    return follower;
  };
  const save = (bandId: string, ...fileIds: string[]): Promise<unknown> =>
    Promise.all(
      fileIds.map((fileId, nth) =>
        nodes[nth % 2]!.save({ fileId, bandId, path: `${fileId}_Bb.pdf`, audience: 'Bb', text: fileId }),
      ),
    );
  const pausedFor = async (token: string): Promise<Paused | null> => {
    const { bands } = (await (await call(nodes[1], token, 'GET', '/status')).json()) as {
      bands: { paused: Paused | null }[];
    };
    return bands[0]!.paused;
  };
  /** Asks until the band is paused. */
  const pause = async (): Promise<Paused> => {
    for (;;) {
      const paused = await pausedFor('lea');
      if (paused) return paused;
    }
  };
  const operations = (): Promise<SyncOperation[]> => nodes[0].database.getRepository(SyncOperation).find();
  const files = (many: number): string[] => Array.from({ length: many }, (_, n) => `f${n}`);

  it('refuses what a user asks for beyond their minute, whichever node they ask and how, and nobody else', async () => {
    await start({ requestsPerMinute: 3 });
    const lea = client(nodes[1], 'lea');
    const ask = () => lea.timeout(5_000).emitWithAck('sync_request', { scope: 'band', id: 'b1', mode: 'delta' });
    expect((await trigger(nodes[0], 'lea')).status).toBe(202);
    expect(await ask()).toMatchObject({ ok: true });
    expect((await trigger(nodes[0], 'lea')).status).toBe(202);

    const refused = await trigger(nodes[0], 'lea');
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    const error = await errorOf(refused);
    expect(error).toMatchObject({ code: 'rate_limited', retryable: true, details: { perMinute: 3 } });
    expect(error.remedy).toContain('retryAfterMs');
    expect(Math.ceil((error.details!.retryAfterMs as number) / 1_000)).toBe(seconds);
    expect(await ask()).toMatchObject({ ok: false, error: { code: 'rate_limited', details: { perMinute: 3 } } });
    expect((await trigger(nodes[0], 'tina')).status).toBe(202);
  });

  it('counts dead operations that a leader tries again, and none that they end', async () => {
    await start({ requestsPerMinute: 1 });
    await nodes[0].database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, finished_at)
       select gen_random_uuid(), 'file', 'dead', 2, 'file:' || n, 'b1', n::text, 'test', clock_timestamp() from generate_series(1, 4) n`,
    );
    const [a, b, c, d] = (await operations()).map(({ id }) => id);
    const answers: number[] = [];
    for (const path of [`${a}/discard`, `${b}/retry`, `${c}/retry`, `${d}/discard`])
      answers.push((await call(nodes[0], 'lea', 'POST', `/operations/${path}`)).status);
    expect(answers).toEqual([200, 200, 429, 200]);
  });

  it.each([
    ['asks for time', 'drive_busy'],
    ['wants another credential', 'credential_revoked'],
    ['says that its folder is away', 'folder_missing'],
  ])('has a band wait when its drive %s, and it goes on by itself', async (_, code) => {
    await start({ workers: 1 });
    const { band } = nodes[0];
    const [tina, tom] = [await follow('tina', 'band:b1:Bb'), await follow('tom', 'band:b2:Bb')];
    band.refusing.set(
      'b1',
      new CodedError({
        code,
        message: 'Not now.',
        remedy: 'Wait.',
        status: 503,
        retryable: true,
        retryAfterMs: 1_500,
      }),
    );
    await save('b1', ...files(10));
    const paused = await pause();
    expect(paused).toMatchObject({ code, message: 'Not now.' });
    expect(Date.parse(paused.until) - Date.parse(paused.since)).toBeGreaterThanOrEqual(1_500);
    expect(await pausedFor('tina')).toBeNull();
    band.refusing.clear();
    await save('b2', 'g0', 'g1');
    await tom.count(2);
    expect(tina.messages).toEqual([]);

    await tina.until(({ messages }) => new Set(messages.map(({ key }) => key)).size === 10);
    // Each node may have been under way with one when the other was told.
    expect(band.told.filter(({ name }) => name === 'sync.failed').length).toBeLessThanOrEqual(2);
    expect(await pausedFor('lea')).toBeNull();
    expect(new Set((await operations()).filter(({ kind }) => kind === 'file').map(({ status }) => status))).toEqual(
      new Set(['completed']),
    );
  });

  it('has a band that waits keep nothing waiting that is behind it, not for a poll either', async () => {
    await start({ workers: 2, pollMs: 600_000, syncOnStart: false });
    const { app, band, database: source } = nodes[0];
    const tom = await follow('tom', 'band:b2:Bb');
    await source.query(
      `insert into sync_band_pace (band_id, paused_since, paused_until, code, message)
       values ('b1', clock_timestamp(), clock_timestamp() + interval '1 hour', 'drive_busy', 'Not now.')`,
    );
    const slow = band.delay('file');
    await source.transaction(async (transaction) => {
      const wanted = [
        ['slow', 'b2', 'high'],
        ['waits', 'b1', 'normal'],
        ['behind', 'b2', 'low'],
      ] as const;
      for (const [fileId, bandId, priority] of wanted) {
        band.files.set(fileId, { fileId, bandId, path: `${fileId}_Bb.pdf`, audience: 'Bb', text: fileId, revision: 1 });
        const operation = { kind: 'file', orderingKey: `file:${fileId}`, cause: 'test', bandId, fileId, priority } as const;
        await app.get(SyncEngine).enqueue(operation, { transaction });
      }
    });
    await slow.asked;
    await tom.count(1);
    expect(tom.messages.map(({ key }) => key)).toEqual(['file:behind']);
    slow.answer();
    await tom.count(2);
  });

  it('begins of each band so many operations in a minute, and the others in the next ones', async () => {
    await start({ bandOperationsPerMinute: 3 });
    const [tina, tom] = [await follow('tina', 'band:b1:Bb'), await follow('tom', 'band:b2:Bb')];
    await save('b1', ...files(7));
    const minutePasses = async (): Promise<void> => {
      await nodes[0].database.query(
        `update sync_band_pace set minute_ends_at = clock_timestamp(), paused_until = clock_timestamp()`,
      );
      await nodes[0].database.query(`update sync_operation set run_at = least(run_at, clock_timestamp())`);
    };
    await tina.count(3);
    expect(await pause()).toMatchObject({ code: 'band_limit_reached' });
    await save('b2', 'g0', 'g1');
    await tom.count(2);
    expect((await operations()).filter(({ bandId, startedAt }) => bandId === 'b1' && startedAt)).toHaveLength(3);
    await minutePasses();
    await tina.count(6);
    expect(await pause()).toMatchObject({ code: 'band_limit_reached' });
    expect((await operations()).filter(({ bandId, startedAt }) => bandId === 'b1' && startedAt)).toHaveLength(6);
    await minutePasses();
    await tina.count(7);
    expect(new Set(tina.messages.map(({ key }) => key)).size).toBe(7);
  });

  it('wait an hour at most, whatever a provider asks for, and no minute of a clock that was set back', async () => {
    await start({ bandOperationsPerMinute: 5 });
    const tina = await follow('tina', 'band:b1:Bb');
    const [first] = nodes;
    await first.database.query(
      `insert into sync_band_pace (band_id, begun, minute_ends_at) values ('b1', 5, clock_timestamp() + interval '1 day')`,
    );
    await save('b1', 'f1');
    await tina.count(1);
    first.band.failNext = new CodedError({
      code: 'drive_busy',
      message: 'Come back in some thousand years.',
      remedy: 'Wait.',
      status: 503,
      retryable: true,
      retryAfterMs: 1e17,
    });
    await save('b1', 'f2');
    const failed = (): Promise<{ minutes: number }[]> =>
      first.database.query(
        `select extract(epoch from run_at - clock_timestamp())::float8 / 60 as minutes from sync_operation where status = 'failed'`,
      );
    let [waiting] = await failed();
    while (!waiting) [waiting] = await failed();
    expect(waiting.minutes).toBeLessThanOrEqual(60);

    const noNumber = { code: 'drive_busy', message: 'Soon.', remedy: 'Wait.', status: 503, retryable: true };
    first.band.failNext = new CodedError({ ...noNumber, retryAfterMs: Number.NaN });
    await save('b2', 'g1');
    const told = (): unknown => first.band.told.find(({ fact }) => (fact as { bandId?: string }).bandId === 'b2');
    while (!told()) await failed();
    expect(told()).toMatchObject({ name: 'sync.failed', fact: { code: 'drive_busy', willRetry: true } });
  });
});
