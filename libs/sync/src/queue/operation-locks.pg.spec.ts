import { band, every, file, QueueRig } from '../../test/queue-rig.js';
import { lockKeys } from './intake-statements.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

describe('of those that work on one operation with items, nobody waits for another who waits for them', () => {
  const [first, second, x, y] = ['1', '2', 'e', 'f'].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`) as [
    string,
    string,
    string,
    string,
  ];

  /** A running operation of a process that is gone, or of the first one. */
  const running = (id: string, kind: 'band' | 'file', { losses = 0, isLost = true } = {}): Promise<unknown> =>
    rig.source.query(
      `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, cause, attempts, losses, lease_token, lease_until, started_at, worker)
       values ($1, $2, 'running', 2, $3, 'b1', 'test', 1, $4, gen_random_uuid(), clock_timestamp() + $5 * interval '1 hour', now(), 1)`,
      [id, kind, `key of ${id}`, losses, isLost ? -1 : 1],
    );
  const item = (operationId: string, fileId: string, by: string): Promise<unknown> =>
    rig.source.query('insert into sync_item (operation_id, file_id, by_operation) values ($1, $2, $3)', [
      operationId,
      fileId,
      by,
    ]);
  /** Who waits for what another one has locked must have left that alone which the other locks next. */
  async function leavesAlone(mine: string, next: string, work: () => Promise<unknown>): Promise<void> {
    const other = rig.source.createQueryRunner();
    await other.startTransaction();
    await other.query(mine);
    const done = work();
    await rig.someoneWaits();
    await other.query(`${next} nowait`);
    await other.commitTransaction();
    await other.release();
    await done;
  }
  const operation = (id: string): string => `select from sync_operation where id = '${id}' for update`;
  const itemOf = (id: string, fileId: string): string =>
    `select from sync_item where operation_id = '${id}' and file_id = '${fileId}' for update`;

  it.each(['completed', 'pending'])('where it is %s at once with what does items', async (status) => {
    const worker = await rig.worker(1);
    const [has, does] = await rig.enqueue(band(), file('f'));
    const claims = await worker.leases.claim(2, every);
    await leavesAlone(operation(does!), operation(has!), () =>
      status === 'completed' ? rig.complete(...claims) : rig.settlements.release(claims),
    );
    expect([await rig.row(has!), await rig.row(does!)]).toMatchObject([{ status }, { status }]);
  });

  it('where one that does no item is completed with one that does', async () => {
    const worker = await rig.worker(1);
    await running(x, 'band', { isLost: false });
    await rig.enqueue(file('a'), file('b'));
    const claims = (await worker.leases.claim(2, every)).sort((one, other) =>
      one.operation.id < other.operation.id ? -1 : 1,
    );
    const [does, doesNone] = claims.map(({ operation }) => operation.id) as [string, string];
    await item(x, 'a', does);
    await leavesAlone(operation(does), operation(doesNone), () => rig.complete(...claims));
    expect(await rig.itemsOf(x)).toEqual(['a completed']);
    expect(await rig.row(doesNone)).toMatchObject({ status: 'completed' });
  });

  it('where one is lost with an item of another', async () => {
    const worker = await rig.worker(1);
    for (const band of [x, y]) await running(band, 'band');
    await running(first, 'file', { losses: 2 });
    await item(y, 'a', first);
    await leavesAlone(operation(y), operation(x), () => worker.losses.reclaim(3, 1_000));
    expect(await rig.row(first)).toMatchObject({ status: 'dead' });
    expect(await rig.row(x)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' });
  });

  it('where of those that are lost one dies, and newer news stand for another', async () => {
    const worker = await rig.worker(1);
    await running(first, 'file', { losses: 2 });
    await running(second, 'file');
    await running(x, 'band', { isLost: false });
    await rig.enqueue(file('b', { orderingKey: `key of ${second}` }));
    await item(x, 'a', first);
    await item(x, 'b', second);
    await leavesAlone(operation(x), itemOf(x, 'b'), () => worker.losses.reclaim(3, 1_000));
    expect(await rig.itemsOf(x)).toEqual(['a failed', 'b waiting']);
  });

  it.each(['is cancelled while its items are handed on', 'hands its items on while it is cancelled'])(
    'where it %s',
    async (which) => {
      const worker = await rig.worker(1);
      await running(x, 'band', { isLost: false });
      for (const [id, name] of [
        [first, 'b'],
        [second, 'a'],
      ] as const) {
        await running(id, 'file');
        await rig.enqueue(file(name, { orderingKey: `key of ${id}` }));
        await item(x, name, id);
      }
      const isCancelled = which.startsWith('is');
      await leavesAlone(itemOf(x, 'a'), itemOf(x, 'b'), () =>
        isCancelled ? rig.cancellations.cancel(x) : worker.losses.reclaim(3, 1_000),
      );
      expect(await rig.itemsOf(x)).toEqual(isCancelled ? ['a cancelled', 'b cancelled'] : ['a waiting', 'b waiting']);
    },
  );
});

describe('an operation whose process is lost', () => {
  it('locks what does items before what has them, as a completion does: neither waits for the other', async () => {
    const worker = await rig.worker(1);
    const ids = { band: '00000000-0000-4000-8000-000000000000', file: 'ffffffff-ffff-4fff-8fff-ffffffffffff' };
    for (const kind of ['band', 'file'] as const)
      await rig.source.query(
        `insert into sync_operation (id, kind, status, priority, ordering_key, band_id, cause, attempts, lease_token, lease_until, started_at)
         values ($1, $2, 'running', 2, $2, 'b1', 'test', 1, gen_random_uuid(), clock_timestamp() - interval '1 second', now())`,
        [ids[kind], kind],
      );
    const completion = rig.source.createQueryRunner();
    await completion.startTransaction();
    await completion.query('select from sync_operation where id = $1 for update', [ids.file]);
    const reclaimed = worker.losses.reclaim(3, 1_000);
    await rig.someoneWaits();
    await completion.query('select from sync_operation where id = $1 for update nowait', [ids.band]);
    await completion.commitTransaction();
    await completion.release();
    expect((await reclaimed).lost).toHaveLength(2);
  });
});

describe('by hand', () => {
  it('is cancelled after whoever hands it something is through with its key, and holds nothing until then', async () => {
    const [id] = await rig.enqueue(file('f'));
    const handing = rig.source.createQueryRunner();
    await handing.startTransaction();
    await handing.query(lockKeys, [['file:f']]);
    const cancelled = rig.cancellations.cancel(id!);
    await rig.someoneWaits();
    await handing.query('select from sync_operation where id = $1 for update nowait', [id]);
    await handing.commitTransaction();
    await handing.release();
    expect(await cancelled).toEqual({ progress: [] });
  });
});
