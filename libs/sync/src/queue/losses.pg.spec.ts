import { again, band, every, file, filesOf, never, QueueRig } from '../../test/queue-rig.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { LeaseLost, type Claim } from './leases.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

describe('a claim', () => {
  it('that another has by now changes nothing: not by completing, failing, renewing or adding items', async () => {
    const [zombie, heir] = [await rig.worker(1), await rig.worker(2)];
    const [id] = await rig.enqueue(file('f'));
    const [old] = await zombie.leases.claim(1, every);
    await zombie.die();
    expect(await heir.losses.reclaim(3, 1_000)).toMatchObject({
      lost: [{ id, kind: 'file', bandId: 'b1', fileId: 'f', isDead: false, code: 'worker_lost' }],
    });
    const [now] = await heir.leases.claim(1, every);

    expect(await rig.complete(old!)).toEqual({ tokens: new Map(), progress: [] });
    await rig.settlements.fail(old!, never);
    expect(await zombie.leases.renew([old!])).toEqual(new Set([id]));
    await expect(rig.items.add(old!, [file('x')])).rejects.toBeInstanceOf(LeaseLost);
    await expect(rig.items.spread(old!)).rejects.toBeInstanceOf(LeaseLost);
    expect(await rig.row(id!)).toMatchObject({ status: 'running', node: 'node-2', attempts: 1, losses: 1 });
    expect([...(await rig.complete(now!)).tokens.keys()]).toEqual([id]);
    expect(await rig.row(id!)).toMatchObject({ status: 'completed', leaseToken: null, finishedAt: expect.any(Date) });
  });

  it('of a process that lives is left alone until its lease has run out, also by itself', async () => {
    const [quick, other] = [await rig.worker(1, { leaseMs: 1 }), await rig.worker(2)];
    const patient = await rig.worker(3);
    await rig.enqueue(file('f'), file('g'));
    await quick.leases.claim(1, every);
    await patient.leases.claim(1, every);
    expect((await other.losses.reclaim(3, 1_000)).lost).toMatchObject([{ fileId: 'f' }]);
    expect(filesOf(await other.leases.claim(5, every))).toEqual(['f']);
    expect((await patient.losses.reclaim(3, 1_000)).lost).toEqual([]);
  });

  it('of a process whose own connection is gone stays in its hands, which may end it before others take it away', async () => {
    const worker = await rig.worker(1);
    await rig.enqueue(file('f'));
    const [claim] = await worker.leases.claim(1, every);
    await worker.die();
    expect((await worker.losses.reclaim(3, 1_000)).lost).toEqual([]);
    expect((await rig.complete(claim!)).tokens.size).toBe(1);
  });

  it('that was lost waits where it was in the line', async () => {
    const [first, second] = [await rig.worker(1), await rig.worker(2)];
    await rig.enqueue(file('e'), file('f'));
    await first.leases.claim(2, every);
    await rig.enqueue(file('g'));
    // Stands for the one that is lost, in its place.
    await rig.enqueue(file('f'));
    await first.die();
    await second.losses.reclaim(3, 1_000);
    expect(filesOf(await second.leases.claim(3, every))).toEqual(['e', 'f', 'g']);
  });
});

describe('an operation whose process is lost', () => {
  const backoffMs = 60_000;
  let processes = 10;

  /** The claims of a process that is lost with them. */
  async function loseWith(limit: number, most = 10): Promise<Claim[]> {
    const [lost, other] = [await rig.worker(++processes), await rig.worker(++processes)];
    const claims = await lost.leases.claim(limit, every);
    await lost.die();
    await other.losses.reclaim(most, backoffMs);
    return claims;
  }
  /** Lets that much time pass, or as much as until the first is due. */
  const pass = (ms?: number): Promise<unknown> =>
    rig.source.query(
      `update sync_operation set run_at = run_at - coalesce($1 * interval '1 millisecond', (
         select greatest(min(run_at) - clock_timestamp(), interval '0') from sync_operation where status in ('pending', 'failed')))`,
      [ms ?? null],
    );
  const waitMs = async (id: string): Promise<number> => {
    const [{ ms }] = await rig.source.query<[{ ms: number }]>(
      'select (extract(epoch from run_at - clock_timestamp()) * 1000)::float8 as ms from sync_operation where id = $1',
      [id],
    );
    return ms;
  };

  it('keeps all its attempts', async () => {
    const worker = await rig.worker(1);
    const [id] = await rig.enqueue(file('f'));
    for (const _ of [1, 2]) await loseWith(1);
    await pass();
    const [claim] = await worker.leases.claim(1, every);
    expect(claim!.operation).toMatchObject({ attempts: 1, losses: 2 });
    await rig.settlements.fail(claim!, again);
    expect(await rig.row(id!)).toMatchObject({ status: 'failed', attempts: 1, losses: 2 });
  });

  it('is due at once after the first time, and waits by itself from the second on, twice as long each time', async () => {
    const ids = await rig.enqueue(...Array.from({ length: 20 }, (_, n) => file(`f${n}`)));
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
    const [id] = await rig.enqueue(file('f'));
    await loseWith(1, 2);
    expect(await rig.row(id!)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' });
    await loseWith(1, 2);
    expect(await rig.row(id!)).toMatchObject({
      status: 'dead',
      attempts: 0,
      losses: 2,
      errorCode: 'lost_too_often',
      errorRemedy: expect.stringContaining('log of the servers'),
    });
    await rig.intake.retry(id!);
    expect(await rig.row(id!)).toMatchObject({ status: 'pending', losses: 0 });
  });

  it('leaves nothing of that to newer news of its file when it is dead: these begin anew', async () => {
    await rig.enqueue(file('f', { priority: 'high' }));
    const [lost, other] = [await rig.worker(1), await rig.worker(2)];
    const [claim] = await lost.leases.claim(1, every);
    const [newer] = await rig.enqueue(file('f'));
    await lost.die();
    expect((await other.losses.reclaim(1, backoffMs)).lost).toMatchObject([{ id: claim!.operation.id, isDead: true }]);
    expect(await rig.row(newer!)).toMatchObject({ status: 'pending', priority: 2, losses: 0 });
    expect(filesOf(await other.leases.claim(1, every))).toEqual(['f']);
  });

  it('and that is what ends processes is dead in the end, and all that were lost with it are done', async () => {
    const worker = await rig.worker(1);
    const neighbours = Array.from({ length: 20 }, (_, n) => `f${n}`);
    await rig.enqueue(...neighbours.slice(0, 10).map((name) => file(name)));
    const [poison] = await rig.enqueue(file('poison'), ...neighbours.slice(10).map((name) => file(name)));
    const isOpen = async (): Promise<boolean> =>
      rig.source.getRepository(SyncOperation).existsBy([{ status: 'pending' }, { status: 'failed' }]);
    for (let process = 1_000; await isOpen(); process += 1) {
      const one = await rig.worker(process);
      const claims = await one.leases.claim(9, every);
      if (filesOf(claims).includes('poison')) await one.die();
      else await rig.complete(...claims);
      await worker.losses.reclaim(10, backoffMs);
      await pass();
      // What is due within this is in the hands of one process.
      await pass(backoffMs / 20);
    }
    expect(await rig.row(poison!)).toMatchObject({ status: 'dead', attempts: 0, losses: 10, errorCode: 'lost_too_often' });
    const others = await rig.source.getRepository(SyncOperation).findBy({ status: 'completed' });
    expect(others.map(({ fileId }) => fileId).sort()).toEqual([...neighbours].sort());
    expect(others.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it('waits its time out though there is news, and so does what stands for it', async () => {
    const [id] = await rig.enqueue(file('f'));
    await loseWith(1);
    await loseWith(1);
    const before = await rig.row(id!);
    await rig.enqueue(file('f', { priority: 'high' }));
    expect(await rig.row(id!)).toMatchObject({ status: 'pending', priority: 1, losses: 2, runAt: before.runAt });
    await pass();
    const [lost, other] = [await rig.worker(2), await rig.worker(3)];
    await lost.leases.claim(1, every);
    const [newer] = await rig.enqueue(file('f'));
    await lost.die();
    await other.losses.reclaim(10, backoffMs);
    expect(await rig.row(id!)).toMatchObject({ status: 'cancelled' });
    expect(await rig.row(newer!)).toMatchObject({ status: 'pending', priority: 1, losses: 3 });
    expect(await waitMs(newer!)).toBeGreaterThan(backoffMs - 10_000);
  });

  it('has all its losses before it where it came further than before', async () => {
    const worker = await rig.worker(1);
    const [id] = await rig.enqueue(band());
    const add = async (...names: string[]): Promise<number> => {
      await loseWith(1);
      await pass(10 * backoffMs);
      const [claim] = await worker.leases.claim(1, ['high']);
      await rig.items.add(
        claim!,
        names.map((name) => file(name, { priority: 'low' })),
      );
      await rig.settlements.fail(claim!, again);
      return (await rig.row(id!)).losses;
    };
    expect([await add('a', 'b'), await add('b', 'a'), await add('a', 'b'), await add('b', 'c')]).toEqual([0, 1, 2, 0]);
  });
});
