import { again, every, file, filesOf, never, QueueRig } from '../../test/queue-rig.js';
import { SyncOperation } from '../entities/sync-operation.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

describe('claiming', () => {
  it('goes by priority, then by what has been due for longest', async () => {
    const queue = await rig.worker(1);
    await rig.enqueue(file('low', { priority: 'low' }));
    await rig.enqueue(file('b'));
    await rig.enqueue(file('c'));
    await rig.enqueue(file('high', { priority: 'high' }));
    expect(filesOf(await queue.claim(3, every))).toEqual(['high', 'b', 'c']);
    expect(filesOf(await queue.claim(3, ['critical']))).toEqual([]);
    expect(filesOf(await queue.claim(3, every))).toEqual(['low']);
  });

  it('finds the one that has been due for longest, of any priority', async () => {
    const queue = await rig.worker(1);
    await rig.enqueue(file('old', { priority: 'low' }));
    await rig.enqueue(file('new', { priority: 'critical' }));
    expect(filesOf(await queue.claim(0, every, 1))).toEqual(['old']);
  });

  it('gives each operation to one of many, and of a file never two at a time', async () => {
    const queues = await Promise.all([1, 2, 3, 4].map((number) => rig.worker(number)));
    await rig.enqueue(...Array.from({ length: 60 }, (_, n) => file(`f${n}`)));
    const claimed = (await Promise.all(queues.map((queue) => queue.claim(20, every)))).flat();
    expect(new Set(filesOf(claimed)).size).toBe(claimed.length);
    await rig.enqueue(...Array.from({ length: 60 }, (_, n) => file(`f${n}`)));
    const more = (await Promise.all(queues.map((queue) => queue.claim(60, every)))).flat();
    expect(claimed.length + more.filter(({ operation }) => !filesOf(claimed).includes(operation.fileId)).length).toBe(60);
    expect(new Set([...filesOf(claimed), ...filesOf(more)]).size).toBe(claimed.length + more.length);
  });

  it('passes over what is not due yet', async () => {
    const queue = await rig.worker(1);
    await rig.enqueue(file('f'), file('g', { priority: 'low' }));
    const [claim] = await queue.claim(1, every);
    await queue.fail(claim!, { ...again, retryInMs: 3_600_000 });
    expect(filesOf(await queue.claim(5, every))).toEqual(['g']);
    expect(await queue.claim(0, every, 1)).toEqual([]);
  });
});

describe('a claim', () => {
  it('that is put back waits where it was in the line, as if nobody had claimed it', async () => {
    const queue = await rig.worker(1);
    const [e, f] = await rig.enqueue(file('e'), file('f'));
    const before = await rig.row(e!);
    const claims = await queue.claim(2, every);
    await rig.enqueue(file('g'));
    // Stands for the one that is put back, in its place.
    await rig.enqueue(file('f'));
    await queue.release(claims);
    expect(await rig.row(e!)).toMatchObject({ status: 'pending', attempts: 0, errorCode: null, runAt: before.runAt });
    expect(await rig.row(f!)).toMatchObject({ status: 'cancelled' });
    expect(filesOf(await queue.claim(3, every))).toEqual(['e', 'f', 'g']);
    expect((await rig.complete(queue, ...claims)).tokens).toEqual(new Map());
  });

  it('that failed waits, and one that may not be retried is dead; what asked for time keeps its attempts', async () => {
    const queue = await rig.worker(1);
    const [f, g, h] = await rig.enqueue(file('f'), file('g'), file('h'));
    const claims = await queue.claim(3, every);
    await queue.fail(claims[0]!, again);
    await queue.fail(claims[1]!, never);
    await queue.fail(claims[2]!, { ...again, isFree: true });
    expect(await rig.row(f!)).toMatchObject({ status: 'failed', attempts: 1, errorCode: 'busy' });
    expect(await rig.row(g!)).toMatchObject({ status: 'dead', finishedAt: expect.any(Date) });
    expect(await rig.row(h!)).toMatchObject({ status: 'failed', attempts: 0 });
  });
});

describe('by hand', () => {
  it('a running operation is cancelled under the hands of its worker', async () => {
    const queue = await rig.worker(1);
    const [id] = await rig.enqueue(file('f'));
    const [claim] = await queue.claim(1, every);
    await queue.cancel(id!);
    expect(await queue.renew([claim!])).toEqual(new Set([id]));
    expect((await rig.complete(queue, claim!)).tokens).toEqual(new Map());
    await rig.enqueue(file('f'));
    expect(filesOf(await queue.claim(1, every))).toEqual(['f']);
  });
});

it('forgets what finished long ago with its items and events, and nothing that is dead or open', async () => {
  const queue = await rig.worker(1);
  const [done] = await rig.enqueue(file('done', { eventId: 'e1' }), file('dead', { eventId: 'e2' }));
  for (const claim of await queue.claim(2, every))
    await (claim.operation.id === done ? rig.complete(queue, claim) : queue.fail(claim, never));
  await rig.enqueue(file('open'));
  await rig.database.query(
    `update sync_operation set finished_at = finished_at - interval '31 days', created_at = created_at - interval '31 days'`,
  );
  await rig.database.query(`update sync_inbox set received_at = received_at - interval '31 days' where event_id = 'e1'`);
  expect(await queue.prune(30, 100)).toBe(2);
  expect(await queue.prune(30, 100)).toBe(0);
  const left = await rig.database.getRepository(SyncOperation).find({ order: { fileId: 'ASC' } });
  expect(left.map(({ fileId }) => fileId)).toEqual(['dead', 'open']);
  expect(await rig.database.query('select event_id from sync_inbox')).toEqual([{ event_id: 'e2' }]);
});
