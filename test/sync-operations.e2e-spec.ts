import { CodedError } from '@soleil/bus';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { SyncEngine, SyncOperation } from '@soleil/sync';
import type { FileUpdate, MessagesFrame } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

describe('operations', () => {
  let database: TestDatabase;
  let sync: SyncApp;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    sync = await startSyncApp(database, { retryBaseMs: 20 });
    sync.band.join('tina', 'b1', 'trumpet');
    sync.band.join('alma', 'b1', 'alto sax');
    sync.band.join('lea', 'b1', 'piano', 'leader');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await sync.close();
    await database.drop();
  });

  const follow = async (user: string, channel: string): Promise<Follower> => {
    const socket = stockClient(sync.url, { token: user });
    sockets.push(socket);
    const follower = new Follower(socket, channel);
    await follower.subscribe();
    return follower;
  };
  const texts = (follower: Follower): unknown[] =>
    follower.messages.map(({ data }) => (data as (FileUpdate & { content: { text: string } }) | null)?.content.text ?? null);
  const file = { fileId: 'f1', bandId: 'b1', path: 'Tune_Bb.pdf', audience: 'Bb', text: 'first' };
  const operations = (): Promise<SyncOperation[]> =>
    sync.database.getRepository(SyncOperation).find({ order: { createdAt: 'ASC' } });

  it('brings a saved file to those it is for, and to nobody else', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    const alma = await follow('alma', 'band:b1:Eb');
    const strangers: MessagesFrame[] = [];
    alma.socket.on('messages', (frame: MessagesFrame) => strangers.push(frame));
    await sync.save(file);
    const [message] = await tina.count(1);
    expect(message).toMatchObject({
      type: 'file_update',
      key: 'file:f1',
      data: { fileId: 'f1', path: 'Tune_Bb.pdf', content: { text: 'first' } },
    });
    await sync.save({ ...file, fileId: 'f2', audience: 'Eb', text: 'for E flat' });
    await alma.count(1);
    expect(strangers.flatMap((frame) => frame.messages.map(({ key }) => key))).toEqual(['file:f2']);
    expect((await operations()).map(({ status }) => status)).toEqual(['completed', 'completed']);
  });

  it('takes on an event that is told twice only once', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    const eventId = await sync.save(file);
    await tina.count(1);
    await sync.tell('drive.file_changed', 'f1', eventId);
    expect(await operations()).toHaveLength(1);
  });

  it('refuses an operation that cannot be stored, and stores those that came with it', async () => {
    const engine = sync.app.get(SyncEngine);
    const wanted = (bandId: string) =>
      ({ kind: 'band', priority: 'low', orderingKey: `band:${bandId}`, cause: 'test', bandId, mode: 'delta' }) as const;
    const outcomes = await Promise.allSettled(['b1', 'b\0', 'b2'].map((bandId) => engine.enqueue(wanted(bandId))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('ends a burst of saves in the last version, with no older one after a newer', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    for (let n = 1; n <= 100; n++) await sync.save({ ...file, text: `v${n}` });
    await tina.until(() => texts(tina).at(-1) === 'v100');
    const versions = texts(tina).map((text) => Number(String(text).slice(1)));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
  });

  it('takes news of a file that is being read up as soon as it is through, waiting for no poll', async () => {
    await sync.close();
    sync = await startSyncApp(database, { pollMs: 600_000, syncOnStart: false }, sync.band);
    const question = sync.band.delay('file');
    await sync.save(file);
    await question.asked;
    await sync.save({ ...file, text: 'second' });
    question.answer();
    const states = async (): Promise<string[]> => (await operations()).map(({ status }) => status);
    while (String(await states()) !== 'completed,completed') await new Promise((resolve) => setImmediate(resolve));
  });

  it.each([[['normal']], [['normal', 'critical']]] as const)(
    'leaves what comes at once to another process while all its places are taken by %s ones, waiting for no poll',
    async (slow) => {
      await sync.close();
      const options = { pollMs: 600_000, workers: 1, syncOnStart: false };
      sync = await startSyncApp(database, options, sync.band);
      const save = ({ app }: SyncApp, fileId: string, priority: 'normal' | 'critical'): Promise<string> => {
        sync.band.files.set(fileId, { ...file, fileId, text: fileId, revision: 1 });
        const operation = { kind: 'file', orderingKey: `file:${fileId}`, cause: 'test', bandId: 'b1', fileId } as const;
        return app.get(SyncEngine).enqueue({ ...operation, priority });
      };
      const answers: (() => void)[] = [];
      for (const priority of slow) {
        const question = sync.band.delay('file');
        await save(sync, `slow ${priority}`, priority);
        await question.asked;
        answers.push(question.answer);
      }
      const other = await startSyncApp(database, options, sync.band);
      try {
        const tina = await follow('tina', 'band:b1:Bb');
        await save(other, 'its own', 'normal');
        await tina.count(1);
        await save(sync, 'quick', slow.at(-1)!);
        await tina.count(2);
        expect(texts(tina)).toEqual(['its own', 'quick']);
        for (const answer of answers) answer();
        await tina.count(2 + slow.length);
      } finally {
        await other.close();
      }
    },
  );

  it('leaves news of what failed to another process while all its places are taken, waiting for no poll', async () => {
    await sync.close();
    const options = { pollMs: 600_000, retryBaseMs: 600_000, workers: 1, syncOnStart: false };
    sync = await startSyncApp(database, options, sync.band);
    sync.band.failNext = new Error('Not just now.');
    await sync.save(file);
    while ((await operations())[0]?.status !== 'failed');
    const question = sync.band.delay('file');
    await sync.save({ ...file, fileId: 'f2', text: 'slow' });
    await question.asked;
    const other = await startSyncApp(database, options, sync.band);
    try {
      const tina = await follow('tina', 'band:b1:Bb');
      await other.save({ ...file, fileId: 'f3', text: 'its own' });
      await tina.count(1);
      await sync.save({ ...file, text: 'second' });
      await tina.count(2);
      expect(texts(tina)).toEqual(['its own', 'second']);
      question.answer();
      await tina.count(3);
    } finally {
      await other.close();
    }
  });

  const inHands = async (): Promise<SyncOperation[]> => (await operations()).filter(({ status }) => status === 'running');
  /** Three hundred quick ones, and one of them takes until it is answered, while others are in the hands of this process, too. */
  const slowAmongQuick = async (): Promise<() => void> => {
    const known = Array.from({ length: 300 }, (_, n) => `f${n}`);
    for (const fileId of known) sync.band.files.set(fileId, { ...file, fileId, text: fileId, revision: 1 });
    await Promise.all(known.map((fileId) => sync.tell('drive.file_changed', fileId)));
    for (;;) {
      const question = sync.band.delay('file');
      await question.asked;
      const asked = new Set(sync.band.asked);
      if ((await inHands()).some(({ fileId }) => !asked.has(fileId!))) return question.answer;
      question.answer();
    }
  };

  it('begins nothing of an operation that was cancelled after it was claimed ahead', async () => {
    await sync.close();
    sync = await startSyncApp(database, { workers: 1, syncOnStart: false }, sync.band);
    const tina = await follow('tina', 'band:b1:Bb');
    const engine = sync.app.get(SyncEngine);
    const answer = await slowAmongQuick();
    const { id, fileId } = (await inHands()).find((operation) => !sync.band.asked.includes(operation.fileId!))!;
    await engine.cancel(id);
    answer();
    await tina.count(299);
    expect(sync.band.asked).not.toContain(fileId);
    expect(new Set(tina.messages.map(({ key }) => key)).size).toBe(299);
  });

  it('leaves what it has claimed ahead to others when operations take long all of a sudden', async () => {
    await sync.close();
    sync = await startSyncApp(database, { workers: 1, syncOnStart: false }, sync.band);
    const tina = await follow('tina', 'band:b1:Bb');
    const answer = await slowAmongQuick();
    while ((await inHands()).length > 1) await new Promise((resolve) => setImmediate(resolve));
    expect((await operations()).filter(({ status }) => status === 'pending').every(({ attempts }) => attempts === 0)).toBe(
      true,
    );
    answer();
    await tina.count(300);
  });

  it('publishes nothing for a file that is looked at again and has not changed', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    await sync.save(file);
    await tina.count(1);
    await sync.tell('drive.file_changed', 'f1');
    while ((await operations())[1]?.status !== 'completed') await new Promise((resolve) => setImmediate(resolve));
    await sync.save({ ...file, text: 'second' });
    await tina.until(() => texts(tina).includes('second'));
    expect(texts(tina)).toEqual(['first', 'second']);
  });

  it('tells the newest revision of a file whose change was undone, since devices ask for its bytes by that', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    await sync.save(file);
    await tina.count(1);
    // Two saves that one operation takes on together.
    sync.band.files.set('f1', { ...file, text: 'second', revision: 2 });
    await sync.save(file);
    await tina.count(2);
    expect(tina.messages[1]).toMatchObject({ data: { revision: 3, content: { text: 'first' } } });
  });

  it('gives an operation that news have joined all its attempts', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    await sync.database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, attempts, run_at)
       values (gen_random_uuid(), 'file', 'failed', 2, 'file:f1', 'b1', 'f1', 'drive.file_added', 2, clock_timestamp() + interval '1 hour')`,
    );
    sync.band.failNext = new CodedError({
      code: 'busy',
      message: 'Not just now.',
      remedy: 'Again.',
      status: 503,
      retryable: true,
    });
    await sync.save(file);
    await tina.count(1);
    expect((await operations())[0]).toMatchObject({ status: 'completed', attempts: 2 });
  });

  it('gives up waiting for a module that never answers, and tries again', async () => {
    await sync.close();
    sync = await startSyncApp(database, { retryBaseMs: 20, operationTimeoutMs: 100 }, sync.band);
    const tina = await follow('tina', 'band:b1:Bb');
    sync.band.silentNext = true;
    await sync.save(file);
    await tina.count(1);
    expect(sync.band.told[0]).toMatchObject({ name: 'sync.failed', fact: { code: 'answer_late', willRetry: true } });
  });

  it('moves a file that is for somebody else now: gone for the one, there for the other', async () => {
    const [tina, alma] = [await follow('tina', 'band:b1:Bb'), await follow('alma', 'band:b1:Eb')];
    await sync.save(file);
    await tina.count(1);
    await sync.save({ ...file, path: 'Tune_Eb.pdf', audience: 'Eb' });
    await Promise.all([tina.count(2), alma.count(1)]);
    expect(tina.messages[1]).toMatchObject({ type: 'file_removed', key: 'file:f1', data: null });
    expect(texts(alma)).toEqual(['first']);
  });

  it('tells that a file is gone', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    await sync.save(file);
    await tina.count(1);
    sync.band.files.set('f1', { ...file, revision: 2, removed: true });
    await sync.tell('drive.file_removed', 'f1');
    await tina.count(2);
    expect(tina.messages[1]).toMatchObject({ type: 'file_removed', key: 'file:f1', data: null });
  });

  it('tries again what failed for a moment', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    sync.band.failNext = new CodedError({
      code: 'revision_gone',
      message: 'It changed meanwhile.',
      remedy: 'Again.',
      status: 409,
      retryable: true,
    });
    await sync.save(file);
    await tina.count(1);
    const [operation] = await operations();
    expect(operation).toMatchObject({ status: 'completed', attempts: 2 });
    expect(sync.band.told[0]).toMatchObject({ name: 'sync.failed', fact: { code: 'revision_gone', willRetry: true } });
  });

  it('keeps what can never succeed visible as dead, with its code, and goes on with the rest', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    sync.band.failNext = new CodedError({
      code: 'file_unknown',
      message: 'No such file.',
      remedy: 'Look again.',
      status: 404,
    });
    await sync.save({ ...file, fileId: 'bad' });
    await sync.save(file);
    await tina.count(1);
    // The other file did not wait for it, and may be there first.
    let dead: SyncOperation | undefined;
    while (!dead) dead = (await operations()).find(({ status }) => status === 'dead');
    expect(dead).toMatchObject({ fileId: expect.any(String), errorCode: 'file_unknown', errorMessage: 'No such file.' });
  });

  it.each<[string, unknown, { errorCode: string; errorMessage: string }]>([
    ['nothing at all', undefined, { errorCode: 'internal_error', errorMessage: 'Something went wrong on the server.' }],
    [
      'an error that quotes a byte which the database does not store',
      new CodedError({ code: 'unreadable', message: 'There is "\0" in line 1.', remedy: 'Save it again.', status: 422 }),
      { errorCode: 'unreadable', errorMessage: 'There is "␀" in line 1.' },
    ],
  ])('says of a file of which a module throws %s that it failed, and goes on with the rest', async (_, thrown, said) => {
    await sync.close();
    sync = await startSyncApp(database, { attempts: 1, syncOnStart: false }, sync.band);
    const tina = await follow('tina', 'band:b1:Bb');
    sync.band.failNext = thrown;
    await sync.save({ ...file, fileId: 'poison' });
    let dead: SyncOperation | undefined;
    while (!dead) dead = (await operations()).find(({ status, losses }) => status === 'dead' || losses > 0);
    expect(dead).toMatchObject({ status: 'dead', losses: 0, ...said });
    await sync.save(file);
    await tina.count(1);
  });

  it.each(['started', 'failed'] as const)('leaves its place though a listener of sync.%s takes for ever', async (fact) => {
    await sync.close();
    sync = await startSyncApp(database, { workers: 1, operationTimeoutMs: 200, syncOnStart: false }, sync.band);
    const tina = await follow('tina', 'band:b1:Bb');
    const hearing = sync.band.delay(fact);
    sync.band.failNext = fact === 'failed' ? new Error('It always fails.') : null;
    await sync.save({ ...file, fileId: 'f0' });
    await hearing.asked;
    await sync.save(file);
    await tina.until(({ messages }) => messages.some(({ key }) => key === 'file:f1'));
    hearing.answer();
  });

  it('goes on with what comes, however many facts are with a listener that takes for ever', async () => {
    await sync.close();
    sync = await startSyncApp(database, { workers: 1, syncOnStart: false }, sync.band);
    const tina = await follow('tina', 'band:b1:Bb');
    let hear = (): void => undefined;
    const heard = new Promise<void>((resolve) => (hear = resolve));
    sync.app.get(EventEmitter2).on('sync.completed', (() => heard) as () => void);
    const fileIds = Array.from({ length: 250 }, (_, n) => `f${n}`);
    await Promise.all(fileIds.map((fileId) => sync.save({ ...file, fileId })));
    await tina.count(250);
    hear();
  });

  it('leaves its place as soon as it is cancelled, also while a listener hears that it begins', async () => {
    await sync.close();
    sync = await startSyncApp(database, { workers: 1, syncOnStart: false }, sync.band);
    const tina = await follow('tina', 'band:b1:Bb');
    const hearing = sync.band.delay('started');
    await sync.save({ ...file, fileId: 'f0' });
    await hearing.asked;
    await sync.app.get(SyncEngine).cancel((await operations())[0]!.id);
    await sync.save(file);
    await tina.count(1);
    hearing.answer();
    expect(sync.band.asked).toEqual(['f1']);
  });

  it('gives an operation whose worker was lost to another, and the lost one changes nothing any more', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    await sync.database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, attempts, lease_token, lease_until, started_at)
       values (gen_random_uuid(), 'file', 'running', 2, 'file:f1', 'b1', 'f1', 'drive.file_added', 1, gen_random_uuid(), clock_timestamp() - interval '1 second', now())`,
    );
    sync.band.files.set('f1', { ...file, revision: 1 });
    await tina.count(1);
    const [operation] = await operations();
    expect(operation).toMatchObject({ status: 'completed', attempts: 1, losses: 1 });
    expect(sync.band.told[0]).toMatchObject({ name: 'sync.failed', fact: { code: 'worker_lost', willRetry: true } });
  });

  it('gives up on an operation that has lost its worker each time, and tells the bus and those who list the queue', async () => {
    const lea = await follow('lea', 'band:b1');
    const isTold = new Promise<void>((resolve) =>
      lea.socket.on('signal', ({ type }: { type: string }) => type === 'sync.operations' && resolve()),
    );
    await sync.database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, losses, attempts, lease_token, lease_until, started_at)
       values (gen_random_uuid(), 'file', 'running', 2, 'file:f1', 'b1', 'f1', 'drive.file_added', 9, 1, gen_random_uuid(), clock_timestamp() - interval '1 second', now())`,
    );
    await isTold;
    expect((await operations())[0]).toMatchObject({ status: 'dead', losses: 10, errorCode: 'lost_too_often' });
    expect(sync.band.told).toMatchObject([{ name: 'sync.failed', fact: { code: 'lost_too_often', willRetry: false } }]);
  });

  it('checks every file of a band on a full sync, and repairs what is missing on screens', async () => {
    for (const n of [1, 2, 3]) sync.band.files.set(`g${n}`, { ...file, fileId: `g${n}`, text: `g${n}`, revision: 1 });
    const tina = await follow('tina', 'band:b1:Bb');
    const lea = stockClient(sync.url, { token: 'lea' });
    sockets.push(lea);
    const answer = (await lea.timeout(5_000).emitWithAck('sync_request', { scope: 'band', id: 'b1', mode: 'full' })) as {
      ok: boolean;
      operationId: string;
    };
    expect(answer.ok).toBe(true);
    await tina.count(3);
    expect(texts(tina).sort()).toEqual(['g1', 'g2', 'g3']);
    const parents = (await operations()).filter(({ kind }) => kind === 'file').map(({ parentId }) => parentId);
    expect(parents).toEqual([answer.operationId, answer.operationId, answer.operationId]);
  });

  it('has an item for each file that a delta sync came upon, and does with it what the fact asks for', async () => {
    const tina = await follow('tina', 'band:b1:Bb');
    sync.band.files.set('f1', { ...file, revision: 1 });
    sync.band.found.push({ eventId: 'e1', fileId: 'f1', kind: 'added' });
    const answer = (await tina.socket
      .timeout(5_000)
      .emitWithAck('sync_request', { scope: 'band', id: 'b1', mode: 'delta' })) as {
      operationId: string;
    };
    await tina.count(1);
    await sync.tell('drive.file_added', 'f1', 'e1');
    const all = await operations();
    expect(all.map(({ kind, cause }) => [kind, cause])).toEqual([
      ['band', 'request'],
      ['file', 'drive.file_added'],
    ]);
    const items = await sync.app.get(SyncEngine).items(answer.operationId);
    expect(items).toMatchObject([{ fileId: 'f1', byOperation: all[1]!.id }]);
    while ((await operations())[0]!.status !== 'completed') await new Promise((resolve) => setImmediate(resolve));
    expect((await operations())[0]).toMatchObject({ itemsTotal: 1, itemsDone: 1, itemsFailed: 0 });
  });

  it('sets a user up when they sign in: their bands are looked over once an interval', async () => {
    const signIn = (): Promise<unknown> =>
      sync.bus.publish('auth.user_logged_in', { userId: 'tina', sessionId: 's', at: new Date().toISOString() });
    await signIn();
    const done = async (kind: string): Promise<number> =>
      (await operations()).filter((operation) => operation.kind === kind && operation.status === 'completed').length;
    const until = async (condition: () => Promise<boolean>): Promise<void> => {
      while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(async () => (await done('band')) === 1);
    await signIn();
    await until(async () => (await done('user_setup')) === 2);
    expect(await done('band')).toBe(1);
    expect((await operations()).filter(({ kind }) => kind === 'band')).toHaveLength(1);
  });
});
