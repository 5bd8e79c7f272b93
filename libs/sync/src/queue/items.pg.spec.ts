import { again, band, every, file, filesOf, never, QueueRig, type Worker } from '../../test/queue-rig.js';
import * as statements from './cancellation-statements.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

describe('an operation with items', () => {
  async function spread(worker: Worker, ...fileIds: string[]): Promise<string> {
    const [id] = await rig.enqueue(band());
    const [claim] = await worker.leases.claim(1, every);
    await rig.items.add(
      claim!,
      fileIds.map((fileId) => file(fileId, { parentId: id, priority: 'low' })),
    );
    await rig.items.spread(claim!);
    return id!;
  }

  it('is completed with the last of them, and counts those that failed', async () => {
    const worker = await rig.worker(1);
    const id = await spread(worker, 'a', 'b', 'c');
    const [a, b, c] = await worker.leases.claim(3, every);
    expect((await rig.complete(a!)).progress).toMatchObject([{ id, done: 1, total: 3, failed: 0, status: 'running' }]);
    expect(await rig.settlements.fail(b!, again)).toEqual([]);
    expect(await rig.settlements.fail(c!, never)).toMatchObject([{ done: 2, failed: 1, status: 'running' }]);
    expect(await rig.itemsOf(id)).toEqual(['a completed', 'b waiting', 'c failed']);
    expect((await rig.complete(...(await worker.leases.claim(1, every)))).progress).toMatchObject([
      { done: 3, failed: 1, status: 'completed' },
    ]);
    expect(await rig.row(id)).toMatchObject({ status: 'completed', itemsTotal: 3, finishedAt: expect.any(Date) });
  });

  it('without any is completed at once, and holds up no other of its key while it has some', async () => {
    const worker = await rig.worker(1);
    expect(await rig.row(await spread(worker))).toMatchObject({ status: 'completed' });
    await spread(worker, 'a');
    const [next] = await rig.enqueue(band());
    expect((await worker.leases.claim(1, ['high'])).map(({ operation }) => operation.id)).toEqual([next]);
  });

  it('whose worker is lost while it adds them adds them again, each once', async () => {
    const [first, second] = [await rig.worker(1), await rig.worker(2)];
    const [id] = await rig.enqueue(band());
    const [claim] = await first.leases.claim(1, every);
    await rig.items.add(claim!, [file('a'), file('b')]);
    await first.die();
    await second.losses.reclaim(3, 1_000);
    const [ended] = await second.leases.claim(1, ['normal']);
    await rig.complete(ended!);
    const [again] = await second.leases.claim(1, ['high']);
    await rig.items.add(again!, [file('a'), file('b'), file('c')]);
    expect(await rig.items.spread(again!)).toMatchObject({ id, total: 3, done: 1, status: 'running' });
    await rig.complete(...(await second.leases.claim(5, every)));
    expect(await rig.row(id!)).toMatchObject({ status: 'completed', itemsDone: 3, itemsFailed: 0 });
  });

  it('ends with an operation that was given its item in the very moment in which it was claimed', async () => {
    const worker = await rig.worker(1);
    await rig.enqueue(file('a'));
    const [claimed] = await worker.leases.claim(1, every);
    const id = await spread(worker, 'b');
    await rig.source.query(
      `with given as (insert into sync_item (operation_id, file_id, by_operation) values ($1, 'a', $2))
       update sync_operation set items_total = 2 where id = $1`,
      [id, claimed!.operation.id],
    );
    await rig.complete(...(await worker.leases.claim(1, every)));
    expect(await rig.row(id)).toMatchObject({ status: 'running', itemsDone: 1 });
    await rig.complete(claimed!);
    expect(await rig.row(id)).toMatchObject({ status: 'completed', itemsDone: 2 });
  });

  it('is done with the operation that took its event on, which nobody claims while it is being given the item', async () => {
    const worker = await rig.worker(1);
    const [id] = await rig.enqueue(band());
    const [claim] = await worker.leases.claim(1, every);
    const told = file('a', { eventId: 'e1' });
    await rig.enqueue(told);
    const other = rig.source.createQueryRunner();
    await other.startTransaction();
    await other.query('select from sync_operation where id = $1 for update', [id]);
    const added = rig.items.add(claim!, [told]);
    await rig.someoneWaits();
    expect(await worker.leases.claim(1, every)).toEqual([]);
    await other.commitTransaction();
    await other.release();
    await added;
    await rig.items.spread(claim!);
    await rig.complete(...(await worker.leases.claim(1, every)));
    expect(await rig.row(id!)).toMatchObject({ status: 'completed', itemsDone: 1 });
  });

  it('that is cancelled while one of its items ends keeps that as cancelled, and uncounted', async () => {
    const worker = await rig.worker(1);
    const id = await spread(worker, 'a');
    const [claim] = await worker.leases.claim(1, every);
    const other = rig.source.createQueryRunner();
    await other.startTransaction();
    await other.query(statements.cancel, [id]);
    await other.query(statements.cancelItems, [id]);
    const completed = rig.complete(claim!);
    await rig.someoneWaits();
    await other.commitTransaction();
    await other.release();
    expect((await completed).tokens.size).toBe(1);
    expect(await rig.itemsOf(id)).toEqual(['a cancelled']);
    expect(await rig.row(id)).toMatchObject({ status: 'cancelled', itemsDone: 0 });
  });

  it('that is cancelled ends what waits for it alone, and what an event or another one waits for goes on', async () => {
    const worker = await rig.worker(1);
    const id = await spread(worker, 'alone', 'told', 'shared');
    await rig.enqueue(file('told', { eventId: 'e1' }));
    const other = await spread(worker, 'shared');
    expect(await rig.cancellations.cancel(id)).not.toBeNull();
    expect(await rig.row(id)).toMatchObject({ status: 'cancelled', errorCode: 'cancelled' });
    expect(await rig.itemsOf(id)).toEqual(['alone cancelled', 'shared cancelled', 'told cancelled']);
    expect(filesOf(await worker.leases.claim(9, every)).sort()).toEqual(['shared', 'told']);
    expect(await rig.itemsOf(other)).toEqual(['shared waiting']);
    expect(await rig.cancellations.cancel(id)).toBeNull();
  });
});

describe('a claim', () => {
  it('that failed while newer news of the file wait is cancelled, and the newer one has its items and priority', async () => {
    const worker = await rig.worker(1);
    const [full] = await rig.enqueue(band());
    const [parent] = await worker.leases.claim(1, every);
    await rig.items.add(parent!, [file('f')]);
    await rig.items.spread(parent!);
    const [claim] = await worker.leases.claim(1, every);
    await rig.enqueue(file('f', { priority: 'low' }));
    await rig.settlements.fail(claim!, again);
    expect(await rig.row(claim!.operation.id)).toMatchObject({ status: 'cancelled' });
    expect(await rig.itemsOf(full!)).toEqual(['f waiting']);
    const { progress } = await rig.complete(...(await worker.leases.claim(1, ['normal'])));
    expect(progress).toMatchObject([{ id: full, done: 1, total: 1, failed: 0, status: 'completed' }]);
  });
});
