import { randomUUID } from 'node:crypto';
import { DataSource, type QueryRunner } from 'typeorm';
import type { TestDatabase } from '../../../../test/support/database.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { SyncItem } from '../entities/sync-item.js';
import { SyncOperation, type Priority } from '../entities/sync-operation.js';
import { presenceLocks } from '../log/node-link.js';
import { lockKeys } from './intake-statements.js';
import { Intake, type NewOperation } from './intake.js';
import { OperationQueue, LeaseLost, type Claim } from './operation-queue.js';
import * as statements from './queue-statements.js';

const every: readonly Priority[] = ['critical', 'high', 'normal', 'low'];
const again = { code: 'busy', message: 'Not just now.', remedy: 'Wait.', retryInMs: 0, isFree: false };
const never = { ...again, retryInMs: null };

let testDatabase: TestDatabase;
let database: DataSource;
let intake: Intake;
const alive: QueryRunner[] = [];

beforeEach(async () => {
  testDatabase = await syncDatabase();
  database = await new DataSource({
    type: 'postgres',
    url: testDatabase.url,
    entities: [SyncOperation, SyncItem],
    poolSize: 30,
  }).initialize();
  intake = new Intake(database);
});
afterEach(async () => {
  for (const runner of alive.splice(0)) await runner.release();
  await database.destroy();
  await testDatabase.drop();
});

/** A process of that number, which shows that it lives. */
async function worker(
  number: number,
  leaseMs = 60_000,
  bandOperationsPerMinute: number | null = null,
): Promise<OperationQueue & { die(): Promise<void> }> {
  const runner = database.createQueryRunner();
  alive.push(runner);
  await runner.query('select pg_advisory_lock_shared($1, $2)', [presenceLocks, number]);
  const queue = new OperationQueue(database, intake, {
    node: `node-${number}`,
    worker: number,
    leaseMs,
    bandOperationsPerMinute,
  });
  return Object.assign(queue, { die: () => runner.query('select pg_advisory_unlock_all()') as Promise<void> });
}

const file = (fileId: string, more: Partial<NewOperation> = {}): NewOperation & { fileId: string } => ({
  kind: 'file',
  priority: 'normal',
  orderingKey: `file:${fileId}`,
  cause: 'test',
  bandId: 'b1',
  ...more,
  fileId,
});
const band = (): NewOperation => ({
  kind: 'band',
  priority: 'high',
  orderingKey: 'band:b1',
  cause: 'test',
  bandId: 'b1',
  mode: 'full',
});
/** Resolves once a transaction waits for what another one has locked. */
async function someoneWaits(): Promise<void> {
  const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await database.query<unknown[]>(waits)).length === 0);
}
const row = (id: string): Promise<SyncOperation> => database.getRepository(SyncOperation).findOneByOrFail({ id });
const itemsOf = async (operationId: string): Promise<string[]> =>
  (await database.getRepository(SyncItem).find({ where: { operationId }, order: { fileId: 'ASC' } })).map(
    ({ fileId, status }) => `${fileId} ${status}`,
  );
const enqueue = async (...wanted: NewOperation[]): Promise<string[]> => (await intake.enqueue(wanted)).map(({ id }) => id);
const complete = (queue: OperationQueue, ...claims: Claim[]): ReturnType<OperationQueue['complete']> =>
  database.transaction((transaction) =>
    queue.complete(
      claims.map((claim) => ({ ...claim, preparedMs: 5 })),
      transaction,
    ),
  );
const filesOf = (claims: readonly Claim[]): (string | null)[] => claims.map(({ operation }) => operation.fileId);

describe('enqueuing', () => {
  it('joins what waits under the same key, within one call and across calls; the higher priority stays', async () => {
    const queue = await worker(1);
    const [a, b, other] = await enqueue(file('f'), file('f', { priority: 'low' }), file('g'));
    expect(b).toBe(a);
    expect(other).not.toBe(a);
    const [later] = await intake.enqueue([file('f', { priority: 'critical' })]);
    expect(later).toEqual({ id: a, isNew: false });
    expect(filesOf(await queue.claim(1, ['critical']))).toEqual(['f']);
  });

  it('does not join one that runs: what that read may be older', async () => {
    const queue = await worker(1);
    const [first] = await enqueue(file('f'));
    await queue.claim(1, every);
    expect((await intake.enqueue([file('f')]))[0]).toEqual({ id: expect.not.stringContaining(first!), isNew: true });
  });

  it('takes an event on once, whoever tells it how often at the same time', async () => {
    const queue = await worker(1);
    const told = Array.from({ length: 30 }, () => intake.enqueue([file('f', { eventId: 'e1' }), file('g')]));
    const ids = new Set((await Promise.all(told)).map(([placed]) => placed!.id));
    expect(ids.size).toBe(1);
    await complete(queue, ...(await queue.claim(1, every)));
    expect((await intake.enqueue([file('f', { eventId: 'e1' })]))[0]).toEqual({ id: [...ids][0], isNew: false });
  });
});

describe('claiming', () => {
  it('goes by priority, then by what has been due for longest', async () => {
    const queue = await worker(1);
    await enqueue(file('low', { priority: 'low' }));
    await enqueue(file('b'));
    await enqueue(file('c'));
    await enqueue(file('high', { priority: 'high' }));
    expect(filesOf(await queue.claim(3, every))).toEqual(['high', 'b', 'c']);
    expect(filesOf(await queue.claim(3, ['critical']))).toEqual([]);
    expect(filesOf(await queue.claim(3, every))).toEqual(['low']);
  });

  it('finds the one that has been due for longest, of any priority', async () => {
    const queue = await worker(1);
    await enqueue(file('old', { priority: 'low' }));
    await enqueue(file('new', { priority: 'critical' }));
    expect(filesOf(await queue.claim(0, every, 1))).toEqual(['old']);
  });

  it('gives each operation to one of many, and of a file never two at a time', async () => {
    const queues = await Promise.all([1, 2, 3, 4].map((number) => worker(number)));
    await enqueue(...Array.from({ length: 60 }, (_, n) => file(`f${n}`)));
    const claimed = (await Promise.all(queues.map((queue) => queue.claim(20, every)))).flat();
    expect(new Set(filesOf(claimed)).size).toBe(claimed.length);
    await enqueue(...Array.from({ length: 60 }, (_, n) => file(`f${n}`)));
    const more = (await Promise.all(queues.map((queue) => queue.claim(60, every)))).flat();
    expect(claimed.length + more.filter(({ operation }) => !filesOf(claimed).includes(operation.fileId)).length).toBe(60);
    expect(new Set([...filesOf(claimed), ...filesOf(more)]).size).toBe(claimed.length + more.length);
  });

  it('passes over what is not due yet', async () => {
    const queue = await worker(1);
    await enqueue(file('f'), file('g', { priority: 'low' }));
    const [claim] = await queue.claim(1, every);
    await queue.fail(claim!, { ...again, retryInMs: 3_600_000 });
    expect(filesOf(await queue.claim(5, every))).toEqual(['g']);
    expect(await queue.claim(0, every, 1)).toEqual([]);
  });
});

describe('a claim', () => {
  it('that another has by now changes nothing: not by completing, failing, renewing or adding items', async () => {
    const [zombie, heir] = [await worker(1), await worker(2)];
    const [id] = await enqueue(file('f'));
    const [old] = await zombie.claim(1, every);
    await zombie.die();
    expect(await heir.reclaim(3, 1_000)).toMatchObject({
      lost: [{ id, kind: 'file', bandId: 'b1', fileId: 'f', isDead: false, code: 'worker_lost' }],
    });
    const [now] = await heir.claim(1, every);

    expect(await complete(zombie, old!)).toEqual({ tokens: new Map(), progress: [] });
    await zombie.fail(old!, never);
    expect(await zombie.renew([old!])).toEqual(new Set([id]));
    await expect(zombie.addItems(old!, [file('x')])).rejects.toBeInstanceOf(LeaseLost);
    await expect(zombie.spread(old!)).rejects.toBeInstanceOf(LeaseLost);
    expect(await row(id!)).toMatchObject({ status: 'running', node: 'node-2', attempts: 1, losses: 1 });
    expect([...(await complete(heir, now!)).tokens.keys()]).toEqual([id]);
    expect(await row(id!)).toMatchObject({ status: 'completed', leaseToken: null, finishedAt: expect.any(Date) });
  });

  it('of a process that lives is left alone until its lease has run out, also by itself', async () => {
    const [quick, other] = [await worker(1, 1), await worker(2)];
    const patient = await worker(3);
    await enqueue(file('f'), file('g'));
    await quick.claim(1, every);
    await patient.claim(1, every);
    expect((await other.reclaim(3, 1_000)).lost).toMatchObject([{ fileId: 'f' }]);
    expect(filesOf(await other.claim(5, every))).toEqual(['f']);
    expect((await patient.reclaim(3, 1_000)).lost).toEqual([]);
  });

  it('that was lost waits where it was in the line', async () => {
    const [first, second] = [await worker(1), await worker(2)];
    await enqueue(file('e'), file('f'));
    await first.claim(2, every);
    await enqueue(file('g'));
    // Stands for the one that is lost, in its place.
    await enqueue(file('f'));
    await first.die();
    await second.reclaim(3, 1_000);
    expect(filesOf(await second.claim(3, every))).toEqual(['e', 'f', 'g']);
  });

  it('that is put back waits where it was in the line, as if nobody had claimed it', async () => {
    const queue = await worker(1);
    const [e, f] = await enqueue(file('e'), file('f'));
    const before = await row(e!);
    const claims = await queue.claim(2, every);
    await enqueue(file('g'));
    // Stands for the one that is put back, in its place.
    await enqueue(file('f'));
    await queue.release(claims);
    expect(await row(e!)).toMatchObject({ status: 'pending', attempts: 0, errorCode: null, runAt: before.runAt });
    expect(await row(f!)).toMatchObject({ status: 'cancelled' });
    expect(filesOf(await queue.claim(3, every))).toEqual(['e', 'f', 'g']);
    expect((await complete(queue, ...claims)).tokens).toEqual(new Map());
  });

  it('that failed waits, and one that may not be retried is dead; what asked for time keeps its attempts', async () => {
    const queue = await worker(1);
    const [f, g, h] = await enqueue(file('f'), file('g'), file('h'));
    const claims = await queue.claim(3, every);
    await queue.fail(claims[0]!, again);
    await queue.fail(claims[1]!, never);
    await queue.fail(claims[2]!, { ...again, isFree: true });
    expect(await row(f!)).toMatchObject({ status: 'failed', attempts: 1, errorCode: 'busy' });
    expect(await row(g!)).toMatchObject({ status: 'dead', finishedAt: expect.any(Date) });
    expect(await row(h!)).toMatchObject({ status: 'failed', attempts: 0 });
  });

  it('that failed while newer news of the file wait is cancelled, and the newer one has its items and priority', async () => {
    const queue = await worker(1);
    const [full] = await enqueue(band());
    const [parent] = await queue.claim(1, every);
    await queue.addItems(parent!, [file('f')]);
    await queue.spread(parent!);
    const [claim] = await queue.claim(1, every);
    await enqueue(file('f', { priority: 'low' }));
    await queue.fail(claim!, again);
    expect(await row(claim!.operation.id)).toMatchObject({ status: 'cancelled' });
    expect(await itemsOf(full!)).toEqual(['f waiting']);
    const { progress } = await complete(queue, ...(await queue.claim(1, ['normal'])));
    expect(progress).toMatchObject([{ id: full, done: 1, total: 1, failed: 0, status: 'completed' }]);
  });
});

describe('an operation whose process is lost', () => {
  const backoffMs = 60_000;
  let processes = 10;

  /** The claims of a process that is lost with them. */
  async function loseWith(limit: number, most = 10): Promise<Claim[]> {
    const [lost, other] = [await worker(++processes), await worker(++processes)];
    const claims = await lost.claim(limit, every);
    await lost.die();
    await other.reclaim(most, backoffMs);
    return claims;
  }
  /** Lets that much time pass, or as much as until the first is due. */
  const pass = (ms?: number): Promise<unknown> =>
    database.query(
      `update sync_operation set run_at = run_at - coalesce($1 * interval '1 millisecond', (
         select greatest(min(run_at) - clock_timestamp(), interval '0') from sync_operation where status in ('pending', 'failed')))`,
      [ms ?? null],
    );
  const waitMs = async (id: string): Promise<number> => {
    const [{ ms }] = await database.query<[{ ms: number }]>(
      'select (extract(epoch from run_at - clock_timestamp()) * 1000)::float8 as ms from sync_operation where id = $1',
      [id],
    );
    return ms;
  };

  it('keeps all its attempts', async () => {
    const queue = await worker(1);
    const [id] = await enqueue(file('f'));
    for (const _ of [1, 2]) await loseWith(1);
    await pass();
    const [claim] = await queue.claim(1, every);
    expect(claim!.operation).toMatchObject({ attempts: 1, losses: 2 });
    await queue.fail(claim!, again);
    expect(await row(id!)).toMatchObject({ status: 'failed', attempts: 1, losses: 2 });
  });

  it('is due at once after the first time, and waits by itself from the second on, twice as long each time', async () => {
    const ids = await enqueue(...Array.from({ length: 20 }, (_, n) => file(`f${n}`)));
    expect(await loseWith(20)).toHaveLength(20);
    for (const nth of [1, 2]) {
      await pass(4 * backoffMs);
      expect(await loseWith(20)).toHaveLength(20);
      const waits = await Promise.all(ids.map(waitMs));
      expect(new Set(waits.map((ms) => Math.round(ms / 100))).size).toBeGreaterThan(10);
      expect(Math.min(...waits)).toBeGreaterThan((backoffMs * nth) / 2 - 10_000);
      expect(Math.max(...waits)).toBeLessThan((backoffMs * nth * 3) / 2);
    }
  });

  it('is dead after the last time, and has all its losses before it when it is tried again', async () => {
    const [id] = await enqueue(file('f'));
    await loseWith(1, 2);
    expect(await row(id!)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' });
    await loseWith(1, 2);
    expect(await row(id!)).toMatchObject({
      status: 'dead',
      attempts: 0,
      losses: 2,
      errorCode: 'lost_too_often',
      errorRemedy: expect.stringContaining('log of the servers'),
    });
    await intake.retry(id!);
    expect(await row(id!)).toMatchObject({ status: 'pending', losses: 0 });
  });

  it('and that is what ends processes is dead in the end, and all that were lost with it are done', async () => {
    const queue = await worker(1);
    const neighbours = Array.from({ length: 20 }, (_, n) => `f${n}`);
    await enqueue(...neighbours.slice(0, 10).map((name) => file(name)));
    const [poison] = await enqueue(file('poison'), ...neighbours.slice(10).map((name) => file(name)));
    const isOpen = async (): Promise<boolean> =>
      database.getRepository(SyncOperation).existsBy([{ status: 'pending' }, { status: 'failed' }]);
    for (let process = 1_000; await isOpen(); process += 1) {
      const one = await worker(process);
      const claims = await one.claim(9, every);
      if (filesOf(claims).includes('poison')) await one.die();
      else await complete(one, ...claims);
      await queue.reclaim(10, backoffMs);
      await pass();
      // What is due within this is in the hands of one process.
      await pass(backoffMs / 20);
    }
    expect(await row(poison!)).toMatchObject({ status: 'dead', attempts: 0, losses: 10, errorCode: 'lost_too_often' });
    const others = await database.getRepository(SyncOperation).findBy({ status: 'completed' });
    expect(others.map(({ fileId }) => fileId).sort()).toEqual([...neighbours].sort());
    expect(others.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it('waits its time out though there is news, and so does what stands for it', async () => {
    const [id] = await enqueue(file('f'));
    await loseWith(1);
    await loseWith(1);
    const before = await row(id!);
    await enqueue(file('f', { priority: 'high' }));
    expect(await row(id!)).toMatchObject({ status: 'pending', priority: 1, losses: 2, runAt: before.runAt });
    await pass();
    const [lost, other] = [await worker(2), await worker(3)];
    await lost.claim(1, every);
    const [newer] = await enqueue(file('f'));
    await lost.die();
    await other.reclaim(10, backoffMs);
    expect(await row(id!)).toMatchObject({ status: 'cancelled' });
    expect(await row(newer!)).toMatchObject({ status: 'pending', priority: 1, losses: 3 });
    expect(await waitMs(newer!)).toBeGreaterThan(backoffMs - 10_000);
  });

  it('has all its losses before it where it came further than before', async () => {
    const queue = await worker(1);
    const [id] = await enqueue(band());
    const add = async (...names: string[]): Promise<number> => {
      await loseWith(1);
      await pass(10 * backoffMs);
      const [claim] = await queue.claim(1, ['high']);
      await queue.addItems(
        claim!,
        names.map((name) => file(name, { priority: 'low' })),
      );
      await queue.fail(claim!, again);
      return (await row(id!)).losses;
    };
    expect([await add('a', 'b'), await add('b', 'a'), await add('a', 'b'), await add('b', 'c')]).toEqual([0, 1, 2, 0]);
  });

  it('locks what does items before what has them, as a completion does: neither waits for the other', async () => {
    const queue = await worker(1);
    const ids = { band: '00000000-0000-4000-8000-000000000000', file: 'ffffffff-ffff-4fff-8fff-ffffffffffff' };
    for (const kind of ['band', 'file'] as const)
      await database.query(
        `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, cause, attempts, lease_token, lease_until, started_at)
         values ($1, $2, 'running', 2, $2, 'b1', 'test', 1, gen_random_uuid(), clock_timestamp() - interval '1 second', now())`,
        [ids[kind], kind],
      );
    const completion = database.createQueryRunner();
    await completion.startTransaction();
    await completion.query('select from sync_operation where id = $1 for update', [ids.file]);
    const reclaimed = queue.reclaim(3, 1_000);
    await someoneWaits();
    await completion.query('select from sync_operation where id = $1 for update nowait', [ids.band]);
    await completion.commitTransaction();
    await completion.release();
    expect((await reclaimed).lost).toHaveLength(2);
  });
});

describe('an operation with items', () => {
  async function spread(queue: OperationQueue, ...fileIds: string[]): Promise<string> {
    const [id] = await enqueue(band());
    const [claim] = await queue.claim(1, every);
    await queue.addItems(
      claim!,
      fileIds.map((fileId) => file(fileId, { parentId: id, priority: 'low' })),
    );
    await queue.spread(claim!);
    return id!;
  }

  it('is completed with the last of them, and counts those that failed', async () => {
    const queue = await worker(1);
    const id = await spread(queue, 'a', 'b', 'c');
    const [a, b, c] = await queue.claim(3, every);
    expect((await complete(queue, a!)).progress).toMatchObject([{ id, done: 1, total: 3, failed: 0, status: 'running' }]);
    expect(await queue.fail(b!, again)).toEqual([]);
    expect(await queue.fail(c!, never)).toMatchObject([{ done: 2, failed: 1, status: 'running' }]);
    expect(await itemsOf(id)).toEqual(['a completed', 'b waiting', 'c failed']);
    expect((await complete(queue, ...(await queue.claim(1, every)))).progress).toMatchObject([
      { done: 3, failed: 1, status: 'completed' },
    ]);
    expect(await row(id)).toMatchObject({ status: 'completed', itemsTotal: 3, finishedAt: expect.any(Date) });
  });

  it('takes over how an earlier operation for the same event ended, and follows one that is running', async () => {
    const queue = await worker(1);
    const told = ['done', 'fails', 'runs', 'waits'].map((name) => file(name, { eventId: `event of ${name}` }));
    const [done, fails, runs, waits] = await enqueue(...told);
    const claims = await queue.claim(3, every);
    expect(filesOf(claims)).toEqual(['done', 'fails', 'runs']);
    await complete(queue, claims[0]!);
    await queue.fail(claims[1]!, never);
    const [id] = await enqueue(band());
    const [claim] = await queue.claim(1, every);
    const { added, progress } = await queue.addItems(claim!, told);
    expect(added).toBe(1);
    expect(progress.at(-1)).toMatchObject({ id, done: 2, failed: 1 });
    expect(await itemsOf(id!)).toEqual(['done completed', 'fails failed', 'runs waiting', 'waits waiting']);
    const by = new Map(
      (await database.getRepository(SyncItem).find()).map(({ fileId, byOperation }) => [fileId, byOperation]),
    );
    expect([by.get('done'), by.get('fails'), by.get('waits')]).toEqual([done, fails, waits]);
    expect(by.get('runs')).not.toBe(runs);
    expect(await queue.spread(claim!)).toMatchObject({ total: 4, done: 2, failed: 1, status: 'running' });
    await complete(queue, claims[2]!);
    await complete(queue, ...(await queue.claim(5, every)));
    expect(await row(id!)).toMatchObject({ status: 'completed', itemsTotal: 4, itemsDone: 4, itemsFailed: 1 });
  });

  it('of which all had ended before is completed as it lets go of them', async () => {
    const queue = await worker(1);
    const told = ['f', 'g'].map((name) => file(name, { eventId: `event of ${name}` }));
    await enqueue(...told);
    await complete(queue, ...(await queue.claim(2, every)));
    const [id] = await enqueue(band());
    const [claim] = await queue.claim(1, every);
    await queue.addItems(claim!, told);
    expect(await queue.spread(claim!)).toMatchObject({ id, total: 2, done: 2, failed: 0, status: 'completed' });
  });

  it('without any is completed at once, and holds up no other of its key while it has some', async () => {
    const queue = await worker(1);
    expect(await row(await spread(queue))).toMatchObject({ status: 'completed' });
    await spread(queue, 'a');
    const [next] = await enqueue(band());
    expect((await queue.claim(1, ['high'])).map(({ operation }) => operation.id)).toEqual([next]);
  });

  it('whose worker is lost while it adds them adds them again, each once', async () => {
    const [first, second] = [await worker(1), await worker(2)];
    const [id] = await enqueue(band());
    const [claim] = await first.claim(1, every);
    await first.addItems(claim!, [file('a'), file('b')]);
    await first.die();
    await second.reclaim(3, 1_000);
    const [ended] = await second.claim(1, ['normal']);
    await complete(second, ended!);
    const [again] = await second.claim(1, ['high']);
    await second.addItems(again!, [file('a'), file('b'), file('c')]);
    expect(await second.spread(again!)).toMatchObject({ id, total: 3, done: 1, status: 'running' });
    await complete(second, ...(await second.claim(5, every)));
    expect(await row(id!)).toMatchObject({ status: 'completed', itemsDone: 3, itemsFailed: 0 });
  });

  it('ends with an operation that was given its item in the very moment in which it was claimed', async () => {
    const queue = await worker(1);
    await enqueue(file('a'));
    const [claimed] = await queue.claim(1, every);
    const id = await spread(queue, 'b');
    await database.query(
      `with given as (insert into sync_item (operation_id, file_id, by_operation) values ($1, 'a', $2))
       update sync_operation set items_total = 2 where id = $1`,
      [id, claimed!.operation.id],
    );
    await complete(queue, ...(await queue.claim(1, every)));
    expect(await row(id)).toMatchObject({ status: 'running', itemsDone: 1 });
    await complete(queue, claimed!);
    expect(await row(id)).toMatchObject({ status: 'completed', itemsDone: 2 });
  });

  it('that is cancelled ends what waits for it alone, and what an event or another one waits for goes on', async () => {
    const queue = await worker(1);
    const id = await spread(queue, 'alone', 'told', 'shared');
    await enqueue(file('told', { eventId: 'e1' }));
    const other = await spread(queue, 'shared');
    expect(await queue.cancel(id)).not.toBeNull();
    expect(await row(id)).toMatchObject({ status: 'cancelled', errorCode: 'cancelled' });
    expect(await itemsOf(id)).toEqual(['alone cancelled', 'shared cancelled', 'told cancelled']);
    expect(filesOf(await queue.claim(9, every)).sort()).toEqual(['shared', 'told']);
    expect(await itemsOf(other)).toEqual(['shared waiting']);
    expect(await queue.cancel(id)).toBeNull();
  });

  it('that is cancelled leaves the changes that it came upon: they are not taken on again when they are told', async () => {
    const queue = await worker(1);
    const [id] = await enqueue(band());
    const [claim] = await queue.claim(1, every);
    const changed = file('f', { eventId: 'e1', parentId: id });
    await queue.addItems(claim!, [changed, file('checked', { parentId: id })]);
    await queue.spread(claim!);
    await queue.cancel(id!);
    await enqueue({ ...changed, parentId: null });
    expect(filesOf(await queue.claim(9, every))).toEqual(['f']);
  });
});

describe('of those that work on one operation with items, nobody waits for another who waits for them', () => {
  const [first, second, x, y] = ['1', '2', 'e', 'f'].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`) as [
    string,
    string,
    string,
    string,
  ];

  /** A running operation of a process that is gone, or of the first one. */
  const running = (id: string, kind: 'band' | 'file', { losses = 0, isLost = true } = {}): Promise<unknown> =>
    database.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, cause, attempts, losses, lease_token, lease_until, started_at, worker)
       values ($1, $2, 'running', 2, $3, 'b1', 'test', 1, $4, gen_random_uuid(), clock_timestamp() + $5 * interval '1 hour', now(), 1)`,
      [id, kind, `key of ${id}`, losses, isLost ? -1 : 1],
    );
  const item = (operationId: string, fileId: string, by: string): Promise<unknown> =>
    database.query('insert into sync_item (operation_id, file_id, by_operation) values ($1, $2, $3)', [
      operationId,
      fileId,
      by,
    ]);
  /** Who waits for what another one has locked must have left that alone which the other locks next. */
  async function leavesAlone(mine: string, next: string, work: () => Promise<unknown>): Promise<void> {
    const other = database.createQueryRunner();
    await other.startTransaction();
    await other.query(mine);
    const done = work();
    await someoneWaits();
    await other.query(`${next} nowait`);
    await other.commitTransaction();
    await other.release();
    await done;
  }
  const operation = (id: string): string => `select from sync_operation where id = '${id}' for update`;
  const itemOf = (id: string, fileId: string): string =>
    `select from sync_item where operation_id = '${id}' and file_id = '${fileId}' for update`;

  it('where one is lost with an item of another', async () => {
    const queue = await worker(1);
    for (const band of [x, y]) await running(band, 'band');
    await running(first, 'file', { losses: 2 });
    await item(y, 'a', first);
    await leavesAlone(operation(y), operation(x), () => queue.reclaim(3, 1_000));
    expect(await row(first)).toMatchObject({ status: 'dead' });
    expect(await row(x)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' });
  });

  it('where of those that are lost one dies, and newer news stand for another', async () => {
    const queue = await worker(1);
    await running(first, 'file', { losses: 2 });
    await running(second, 'file');
    await running(x, 'band', { isLost: false });
    await enqueue(file('b', { orderingKey: `key of ${second}` }));
    await item(x, 'a', first);
    await item(x, 'b', second);
    await leavesAlone(operation(x), itemOf(x, 'b'), () => queue.reclaim(3, 1_000));
    expect(await itemsOf(x)).toEqual(['a failed', 'b waiting']);
  });

  it.each(['is cancelled while its items are handed on', 'hands its items on while it is cancelled'])(
    'where it %s',
    async (which) => {
      const queue = await worker(1);
      await running(x, 'band', { isLost: false });
      for (const [id, name] of [
        [first, 'b'],
        [second, 'a'],
      ] as const) {
        await running(id, 'file');
        await enqueue(file(name, { orderingKey: `key of ${id}` }));
        await item(x, name, id);
      }
      const isCancelled = which.startsWith('is');
      await leavesAlone(itemOf(x, 'a'), itemOf(x, 'b'), () => (isCancelled ? queue.cancel(x) : queue.reclaim(3, 1_000)));
      expect(await itemsOf(x)).toEqual(isCancelled ? ['a cancelled', 'b cancelled'] : ['a waiting', 'b waiting']);
    },
  );
});

describe('a band', () => {
  const others = (bandId: string, ...fileIds: string[]): NewOperation[] =>
    fileIds.map((fileId) => file(fileId, { bandId, priority: 'low' }));
  const numbered = (many: number): string[] => Array.from({ length: many }, (_, n) => `f${String(n).padStart(4, '0')}`);
  const pass = async (minutes: number): Promise<void> => {
    await database.query(`update sync_operation set run_at = run_at - $1 * interval '1 minute'`, [minutes]);
    await database.query(
      `update sync_band_pace set minute_ends_at = minute_ends_at - $1 * interval '1 minute',
         paused_since = paused_since - $1 * interval '1 minute', paused_until = paused_until - $1 * interval '1 minute'`,
      [minutes],
    );
  };
  const busy = { code: 'drive_busy', message: 'The quota is spent.' };

  it('begins as many operations in a minute as it may, on all nodes, by priority and age, and the others after it', async () => {
    const queues = await Promise.all([1, 2, 3, 4].map((number) => worker(number, 60_000, 10)));
    await enqueue(...others('b1', ...numbered(25)), file('high', { bandId: 'b1', priority: 'high' }));
    const minute = async (): Promise<(string | null)[]> => {
      const claims: Claim[] = [];
      for (const queue of queues) claims.push(...(await queue.claim(4, every)));
      expect(await queues[0]!.claim(0, every, 1)).toEqual([]);
      await complete(queues[0]!, ...claims);
      return filesOf(claims).sort();
    };
    expect(await minute()).toEqual([...numbered(25).slice(0, 9), 'high']);
    expect(await queues[0]!.pausedBand('b1')).toMatchObject({ code: 'band_limit_reached' });
    await pass(1);
    expect(await queues[0]!.pausedBand('b1')).toBeNull();
    expect(await minute()).toEqual(numbered(25).slice(9, 19));
    await pass(1);
    expect(await minute()).toEqual(numbered(25).slice(19));
    expect(await queues[0]!.pausedBand('b1')).toBeNull();
  });

  it('goes by the limit that its leaders chose, and by no other', async () => {
    await database.query(`insert into sync_band_setting (band_id, operations_per_minute) values ('b1', 2), ('b2', null)`);
    const [unlimited, limited] = [await worker(1), await worker(2, 60_000, 3)];
    const all = ['b1', 'b2', 'b3'].flatMap((bandId) =>
      others(bandId, ...numbered(5).map((fileId) => `${bandId} ${fileId}`)),
    );
    const begun = async (queue: OperationQueue): Promise<Record<string, number>> => {
      const claims: Claim[] = [];
      for (let more = await queue.claim(9, every); more.length > 0; more = await queue.claim(9, every)) claims.push(...more);
      const bands = claims.map(({ operation }) => operation.bandId!);
      return Object.fromEntries(['b1', 'b2', 'b3'].map((band) => [band, bands.filter((each) => each === band).length]));
    };
    await enqueue(...all);
    expect(await begun(limited)).toEqual({ b1: 2, b2: 3, b3: 3 });
    expect(await limited.pausedBand('b1')).toMatchObject({ message: 'The band has begun the 2 operations of this minute.' });
    await pass(1);
    expect(await begun(unlimited)).toEqual({ b1: 2, b2: 2, b3: 2 });
  });

  it('begins no more than that when all nodes claim at the same moment, again and again', async () => {
    const queues = await Promise.all([1, 2, 3, 4].map((number) => worker(number, 60_000, 10)));
    await enqueue(...others('b1', ...numbered(40)));
    for (const begun of [10, 10, 10, 10, 0]) {
      const all = queues.flatMap((queue) => [queue.claim(7, every), queue.claim(0, every, 1), queue.claim(7, every)]);
      const claims = (await Promise.all(all)).flat();
      expect(claims).toHaveLength(begun);
      await complete(queues[0]!, ...claims);
      await pass(1);
    }
  });

  it('begins no more than that while the claim of another node is on its way to commit', async () => {
    const queue = await worker(1, 60_000, 5);
    await enqueue(...others('b1', ...numbered(20)));
    expect(await queue.claim(1, every)).toHaveLength(1);
    const elsewhere = database.createQueryRunner();
    await elsewhere.startTransaction();
    const parameters = [[0, 1, 2, 3], 3, 'elsewhere', randomUUID(), 60_000, 2, 5];
    expect(await elsewhere.query(statements.claim(true, false), parameters)).toHaveLength(3);
    const claims = queue.claim(3, every);
    await someoneWaits();
    await elsewhere.commitTransaction();
    await elsewhere.release();
    expect(await claims).toHaveLength(1);
  });

  it('that is at its limit, or paused, holds up no other, and nothing critical', async () => {
    const limited = await worker(1, 60_000, 3);
    await enqueue(...others('b1', ...numbered(500)));
    expect(filesOf(await limited.claim(9, every))).toHaveLength(3);
    await limited.pause('b3', 60_000, busy);
    await enqueue(file('waits', { bandId: 'b3', priority: 'high' }));
    await enqueue(...others('b2', 'other'), file('urgent', { bandId: 'b3', priority: 'critical' }));
    expect(filesOf(await limited.claim(2, every))).toEqual(['urgent']);
    expect(filesOf(await limited.claim(2, every))).toEqual(['other']);
    await enqueue(file('now', { bandId: 'b1', priority: 'critical' }), ...others('b2', 'oldest'));
    expect(filesOf(await limited.claim(0, every, 1))).toEqual(['now']);
    expect(filesOf(await limited.claim(0, every, 1))).toEqual(['oldest']);
  });

  it('that is limited has its turns as the oldest, too', async () => {
    const [queue, chosen] = [await worker(1, 60_000, 1), await worker(2)];
    await enqueue(...others('b1', 'a'), ...others('b2', 'b'), file('c', { bandId: 'b3', priority: 'high' }));
    expect(filesOf(await queue.claim(0, every, 1))).toEqual(['a']);
    await database.query(`insert into sync_band_setting (band_id, operations_per_minute) values ('b2', 5)`);
    expect(filesOf(await chosen.claim(0, every, 1))).toEqual(['b']);
    expect(filesOf(await chosen.claim(1, every))).toEqual(['c']);
  });

  it('that is paused goes on by itself where it was, on every node, with the news that came meanwhile', async () => {
    const [one, other] = [await worker(1), await worker(2)];
    await enqueue(...others('b1', ...numbered(12)));
    const [claim] = await one.claim(1, every);
    await one.pause('b1', 30_000, busy);
    await one.fail(claim!, { ...again, ...busy, retryInMs: 30_000, isFree: true });
    expect(await other.claim(9, every)).toEqual([]);
    await enqueue(file('news', { priority: 'high' }), ...others('b1', 'f0005'));
    expect(await other.claim(9, every)).toEqual([]);
    expect(await other.pausedBand('b1')).toMatchObject({ ...busy, since: expect.any(Date), until: expect.any(Date) });
    await pass(1);
    const claims = await other.claim(20, every);
    const [first, ...lows] = filesOf(claims);
    expect(first).toBe('news');
    // The one that failed asks again a little later; the one that news joined keeps no place before the others.
    expect([...lows].sort()).toEqual(numbered(12));
    const inTheirOrder = numbered(12).filter((name) => name !== 'f0000' && name !== 'f0005');
    expect(lows.filter((name) => inTheirOrder.includes(name!))).toEqual(inTheirOrder);
  });

  it('that is paused goes on in its order, wherever the rows lie by then', async () => {
    const queue = await worker(1);
    await enqueue(...others('b1', ...numbered(12)));
    await queue.pause('b1', 30_000, busy);
    expect(await queue.claim(20, every)).toEqual([]);
    await database.query('cluster sync_operation using sync_operation_pkey');
    await pass(1);
    expect(filesOf(await queue.claim(20, every))).toEqual(numbered(12));
  });

  it('that is paused leaves critical news where they were in the line, also of a file that is being worked on', async () => {
    const queue = await worker(1);
    await enqueue(file('f', { priority: 'critical' }));
    const [claim] = await queue.claim(1, every);
    await enqueue(file('f', { priority: 'critical' }), ...others('b1', 'g'));
    await queue.pause('b1', 60_000, busy);
    expect(await queue.claim(9, every)).toEqual([]);
    await complete(queue, claim!);
    expect(filesOf(await queue.claim(9, every))).toEqual(['f']);
  });

  it('is paused until the latest that was asked for, and for an hour at most', async () => {
    const queue = await worker(1);
    await queue.pause('b1', 60_000, busy);
    const first = await queue.pausedBand('b1');
    await queue.pause('b1', 1_000, { ...busy, message: 'Still.' });
    expect(await queue.pausedBand('b1')).toEqual({ ...first, message: 'Still.' });
    await queue.pause('b1', 86_400_000 * 365, busy);
    const { since, until } = (await queue.pausedBand('b1'))!;
    expect(since).toEqual(first!.since);
    expect(until.getTime() - Date.now()).toBeLessThan(3_660_000);
    await pass(61);
    expect(await queue.pausedBand('b1')).toBeNull();
    await queue.pause('b1', 60_000, busy);
    expect((await queue.pausedBand('b1'))!.since.getTime()).toBeGreaterThan(since.getTime());
  });
});

describe('by hand', () => {
  it('is cancelled after whoever hands it something is through with its key, and holds nothing until then', async () => {
    const queue = await worker(1);
    const [id] = await enqueue(file('f'));
    const handing = database.createQueryRunner();
    await handing.startTransaction();
    await handing.query(lockKeys, [['file:f']]);
    const cancelled = queue.cancel(id!);
    await someoneWaits();
    await handing.query('select from sync_operation where id = $1 for update nowait', [id]);
    await handing.commitTransaction();
    await handing.release();
    expect(await cancelled).toEqual({ progress: [] });
  });

  it('a running operation is cancelled under the hands of its worker', async () => {
    const queue = await worker(1);
    const [id] = await enqueue(file('f'));
    const [claim] = await queue.claim(1, every);
    await queue.cancel(id!);
    expect(await queue.renew([claim!])).toEqual(new Set([id]));
    expect((await complete(queue, claim!)).tokens).toEqual(new Map());
    await enqueue(file('f'));
    expect(filesOf(await queue.claim(1, every))).toEqual(['f']);
  });

  it('a dead operation waits again, unless a newer one of its key waits, and can be given up', async () => {
    const queue = await worker(1);
    const [f, g, h] = await enqueue(file('f'), file('g'), file('h'));
    for (const claim of await queue.claim(3, every)) await queue.fail(claim, never);
    await enqueue(file('g'));
    expect([await intake.retry(f!), await intake.retry(g!), await queue.discard(h!)]).toEqual([true, true, true]);
    expect(await row(f!)).toMatchObject({ status: 'pending', attempts: 0, finishedAt: null });
    expect(await row(g!)).toMatchObject({ status: 'cancelled' });
    expect(await row(h!)).toMatchObject({ status: 'cancelled' });
    expect([await intake.retry(f!), await queue.discard(h!), await intake.retry(randomUUID())]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

it('forgets what finished long ago with its items and events, and nothing that is dead or open', async () => {
  const queue = await worker(1);
  const [done] = await enqueue(file('done', { eventId: 'e1' }), file('dead', { eventId: 'e2' }));
  for (const claim of await queue.claim(2, every))
    await (claim.operation.id === done ? complete(queue, claim) : queue.fail(claim, never));
  await enqueue(file('open'));
  await database.query(
    `update sync_operation set finished_at = finished_at - interval '31 days', created_at = created_at - interval '31 days'`,
  );
  await database.query(`update sync_inbox set received_at = received_at - interval '31 days' where event_id = 'e1'`);
  expect(await queue.prune(30, 100)).toBe(2);
  expect(await queue.prune(30, 100)).toBe(0);
  const left = await database.getRepository(SyncOperation).find({ order: { fileId: 'ASC' } });
  expect(left.map(({ fileId }) => fileId)).toEqual(['dead', 'open']);
  expect(await database.query('select event_id from sync_inbox')).toEqual([{ event_id: 'e2' }]);
});
