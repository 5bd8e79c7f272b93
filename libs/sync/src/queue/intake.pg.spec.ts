import { randomUUID } from 'node:crypto';
import { again, band, every, file, filesOf, never, QueueRig } from '../../test/queue-rig.js';
import { SyncItem } from '../entities/sync-item.js';

const noError = { errorCode: null, errorMessage: null, errorRemedy: null };

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

describe('enqueuing', () => {
  it('joins what waits under the same key, within one call and across calls; the higher priority stays', async () => {
    const worker = await rig.worker(1);
    const [a, b, other] = await rig.enqueue(file('f'), file('f', { priority: 'low' }), file('g'));
    expect(b).toBe(a);
    expect(other).not.toBe(a);
    const [later] = await rig.intake.enqueue([file('f', { priority: 'critical' })]);
    expect(later).toEqual({ id: a, isNew: false });
    expect(filesOf(await worker.leases.claim(1, ['critical']))).toEqual(['f']);
  });

  it('does not join one that runs: what that read may be older', async () => {
    const worker = await rig.worker(1);
    const [first] = await rig.enqueue(file('f'));
    await worker.leases.claim(1, every);
    expect((await rig.intake.enqueue([file('f')]))[0]).toEqual({ id: expect.not.stringContaining(first!), isNew: true });
  });

  it('joins one that failed, which waits as if it never had: the news may be what mends it', async () => {
    const worker = await rig.worker(1);
    const [id] = await rig.enqueue(file('f'));
    const [claim] = await worker.leases.claim(1, every);
    await rig.settlements.fail(claim!, { ...again, retryInMs: 3_600_000 });
    expect(await rig.row(id!)).toMatchObject({ status: 'failed', attempts: 1, errorCode: 'busy' });
    await rig.enqueue(file('f'));
    expect(await rig.row(id!)).toMatchObject({ status: 'pending', attempts: 0, ...noError });
    expect(filesOf(await worker.leases.claim(1, every))).toEqual(['f']);
  });

  it('takes an event on once, whoever tells it how often at the same time', async () => {
    const worker = await rig.worker(1);
    const told = Array.from({ length: 30 }, () => rig.intake.enqueue([file('f', { eventId: 'e1' }), file('g')]));
    const ids = new Set((await Promise.all(told)).map(([placed]) => placed!.id));
    expect(ids.size).toBe(1);
    await rig.complete(...(await worker.leases.claim(1, every)));
    expect((await rig.intake.enqueue([file('f', { eventId: 'e1' })]))[0]).toEqual({ id: [...ids][0], isNew: false });
  });

  it('brings what is new in one call beside what was told before, of one file too, each in its place', async () => {
    const worker = await rig.worker(1);
    const [earlier] = await rig.enqueue(file('f', { eventId: 'e1' }));
    await rig.complete(...(await worker.leases.claim(1, every)));
    const told = [
      file('f', { eventId: 'e1' }),
      file('f', { eventId: 'e2' }),
      file('g', { eventId: 'e1' }),
      file('h'),
      file('h', { eventId: 'e2', priority: 'high' }),
      file('i', { eventId: 'e1' }),
    ];
    const placed = await rig.intake.enqueue(told);
    const known = { id: earlier, isNew: false };
    const [, f, , h] = placed;
    expect(placed).toEqual([known, { id: f!.id, isNew: true }, known, { id: h!.id, isNew: true }, h, known]);
    const claims = await worker.leases.claim(9, every);
    expect(filesOf(claims)).toEqual(['h', 'f']);
    expect(claims.map(({ operation: { id } }) => id)).toEqual([h!.id, f!.id]);
    expect(await rig.intake.enqueue([file('f', { eventId: 'e2' })])).toEqual([{ id: expect.any(String), isNew: false }]);
  });

  it('enqueues nothing where nothing is wanted', async () => {
    expect(await rig.intake.enqueue([])).toEqual([]);
  });
});

describe('an operation with items', () => {
  it('takes over how an earlier operation for the same event ended, and follows one that is running', async () => {
    const worker = await rig.worker(1);
    const told = ['done', 'fails', 'runs', 'waits'].map((name) => file(name, { eventId: `event of ${name}` }));
    const [done, fails, runs, waits] = await rig.enqueue(...told);
    const claims = await worker.leases.claim(3, every);
    expect(filesOf(claims)).toEqual(['done', 'fails', 'runs']);
    await rig.complete(claims[0]!);
    await rig.settlements.fail(claims[1]!, never);
    const [id] = await rig.enqueue(band());
    const [claim] = await worker.leases.claim(1, every);
    const { added, progress } = await rig.items.add(claim!, told);
    expect(added).toBe(1);
    expect(progress.at(-1)).toMatchObject({ id, done: 2, failed: 1 });
    expect(await rig.itemsOf(id!)).toEqual(['done completed', 'fails failed', 'runs waiting', 'waits waiting']);
    const by = new Map(
      (await rig.source.getRepository(SyncItem).find()).map(({ fileId, byOperation }) => [fileId, byOperation]),
    );
    expect([by.get('done'), by.get('fails'), by.get('waits')]).toEqual([done, fails, waits]);
    expect(by.get('runs')).not.toBe(runs);
    expect(await rig.items.spread(claim!)).toMatchObject({ total: 4, done: 2, failed: 1, status: 'running' });
    await rig.complete(claims[2]!);
    await rig.complete(...(await worker.leases.claim(5, every)));
    expect(await rig.row(id!)).toMatchObject({ status: 'completed', itemsTotal: 4, itemsDone: 4, itemsFailed: 1 });
  });

  it('of which all had ended before is completed as it lets go of them', async () => {
    const worker = await rig.worker(1);
    const told = ['f', 'g'].map((name) => file(name, { eventId: `event of ${name}` }));
    await rig.enqueue(...told);
    await rig.complete(...(await worker.leases.claim(2, every)));
    const [id] = await rig.enqueue(band());
    const [claim] = await worker.leases.claim(1, every);
    await rig.items.add(claim!, told);
    expect(await rig.items.spread(claim!)).toMatchObject({ id, total: 2, done: 2, failed: 0, status: 'completed' });
  });

  it('that is cancelled leaves the changes that it came upon: they are not taken on again when they are told', async () => {
    const worker = await rig.worker(1);
    const [id] = await rig.enqueue(band());
    const [claim] = await worker.leases.claim(1, every);
    const changed = file('f', { eventId: 'e1', parentId: id });
    await rig.items.add(claim!, [changed, file('checked', { parentId: id })]);
    await rig.items.spread(claim!);
    await rig.cancellations.cancel(id!);
    await rig.enqueue({ ...changed, parentId: null });
    expect(filesOf(await worker.leases.claim(9, every))).toEqual(['f']);
  });
});

describe('by hand', () => {
  it('a dead operation waits again, unless a newer one of its key waits, and can be given up', async () => {
    const worker = await rig.worker(1);
    const [f, g, h] = await rig.enqueue(file('f'), file('g'), file('h'));
    for (const claim of await worker.leases.claim(3, every)) await rig.settlements.fail(claim, never);
    await rig.enqueue(file('g'));
    expect([await rig.intake.retry(f!), await rig.intake.retry(g!), await rig.cancellations.discard(h!)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(await rig.row(f!)).toMatchObject({ status: 'pending', attempts: 0, finishedAt: null, ...noError });
    expect(await rig.row(g!)).toMatchObject({ status: 'cancelled' });
    expect(await rig.row(h!)).toMatchObject({ status: 'cancelled' });
    expect([await rig.intake.retry(f!), await rig.cancellations.discard(h!), await rig.intake.retry(randomUUID())]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('a dead operation that is tried again while there is news of its file leaves the work to that', async () => {
    const worker = await rig.worker(1);
    const [id] = await rig.enqueue(file('f'));
    const [claim] = await worker.leases.claim(1, every);
    await rig.settlements.fail(claim!, never);
    const told = rig.source.createQueryRunner();
    await told.startTransaction();
    const [news] = await rig.intake.enqueue([file('f')], told.manager);
    const retried = rig.intake.retry(id!);
    await rig.someoneWaits();
    await told.commitTransaction();
    await told.release();
    expect(await retried).toBe(true);
    expect(await rig.row(id!)).toMatchObject({ status: 'cancelled' });
    expect(await rig.row(news!.id)).toMatchObject({ status: 'pending' });
  });
});
