import { again, every, file, filesOf, never, QueueRig } from '../../test/queue-rig.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

describe('claiming', () => {
  it('goes by priority, then by what has been due for longest', async () => {
    const worker = await rig.worker(1);
    await rig.enqueue(file('low', { priority: 'low' }));
    await rig.enqueue(file('b'));
    await rig.enqueue(file('c'));
    await rig.enqueue(file('high', { priority: 'high' }));
    expect(filesOf(await worker.leases.claim(3, every))).toEqual(['high', 'b', 'c']);
    expect(filesOf(await worker.leases.claim(3, ['critical']))).toEqual([]);
    expect(filesOf(await worker.leases.claim(3, every))).toEqual(['low']);
  });

  it('finds the one that has been due for longest, of any priority', async () => {
    const worker = await rig.worker(1);
    await rig.enqueue(file('old', { priority: 'low' }));
    await rig.enqueue(file('new', { priority: 'critical' }));
    expect(filesOf(await worker.leases.claim(0, every, 1))).toEqual(['old']);
  });

  it('gives each operation to one of many, and of a file never two at a time', async () => {
    const workers = await Promise.all([1, 2, 3, 4].map((number) => rig.worker(number)));
    await rig.enqueue(...Array.from({ length: 60 }, (_, n) => file(`f${n}`)));
    const claimed = (await Promise.all(workers.map((worker) => worker.leases.claim(20, every)))).flat();
    expect(new Set(filesOf(claimed)).size).toBe(claimed.length);
    await rig.enqueue(...Array.from({ length: 60 }, (_, n) => file(`f${n}`)));
    const more = (await Promise.all(workers.map((worker) => worker.leases.claim(60, every)))).flat();
    expect(claimed.length + more.filter(({ operation }) => !filesOf(claimed).includes(operation.fileId)).length).toBe(60);
    expect(new Set([...filesOf(claimed), ...filesOf(more)]).size).toBe(claimed.length + more.length);
  });

  it('passes over what is not due yet', async () => {
    const worker = await rig.worker(1);
    await rig.enqueue(file('f'), file('g', { priority: 'low' }));
    const [claim] = await worker.leases.claim(1, every);
    await rig.settlements.fail(claim!, { ...again, retryInMs: 3_600_000 });
    expect(filesOf(await worker.leases.claim(5, every))).toEqual(['g']);
    expect(await worker.leases.claim(0, every, 1)).toEqual([]);
  });
});

describe('a claim', () => {
  it('that is put back waits where it was in the line, as if nobody had claimed it', async () => {
    const worker = await rig.worker(1);
    const [e, f] = await rig.enqueue(file('e'), file('f'));
    const before = await rig.row(e!);
    const claims = await worker.leases.claim(2, every);
    await rig.enqueue(file('g'));
    // Stands for the one that is put back, in its place.
    await rig.enqueue(file('f'));
    await rig.settlements.release(claims);
    expect(await rig.row(e!)).toMatchObject({ status: 'pending', attempts: 0, errorCode: null, runAt: before.runAt });
    expect(await rig.row(f!)).toMatchObject({ status: 'cancelled' });
    expect(filesOf(await worker.leases.claim(3, every))).toEqual(['e', 'f', 'g']);
    expect((await rig.complete(...claims)).tokens).toEqual(new Map());
  });

  it('is renewed beside one that is being completed, and does not wait for that', async () => {
    const worker = await rig.worker(1, { leaseMs: 1 });
    const patient = await rig.worker(1);
    const [e, f] = await rig.enqueue(file('e'), file('f'));
    const claims = await worker.leases.claim(2, every);
    const completion = rig.source.createQueryRunner();
    await completion.startTransaction();
    await completion.query('select from sync_operation where id = $1 for update', [e]);
    expect(await patient.leases.renew(claims)).toEqual(new Set());
    expect((await rig.row(f!)).leaseUntil!.getTime()).toBeGreaterThan(claims[1]!.operation.leaseUntil!.getTime());
    await completion.rollbackTransaction();
    await completion.release();
  });

  it('that failed waits, and one that may not be retried is dead; what asked for time keeps its attempts', async () => {
    const worker = await rig.worker(1);
    const [f, g, h] = await rig.enqueue(file('f'), file('g'), file('h'));
    const claims = await worker.leases.claim(3, every);
    await rig.settlements.fail(claims[0]!, again);
    await rig.settlements.fail(claims[1]!, never);
    await rig.settlements.fail(claims[2]!, { ...again, isFree: true });
    expect(await rig.row(f!)).toMatchObject({ status: 'failed', attempts: 1, errorCode: 'busy' });
    expect(await rig.row(g!)).toMatchObject({ status: 'dead', finishedAt: expect.any(Date) });
    expect(await rig.row(h!)).toMatchObject({ status: 'failed', attempts: 0 });
  });
});
