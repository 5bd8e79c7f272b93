import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { again, every, file, filesOf, QueueRig, type Worker } from '../../test/queue-rig.js';
import type { NewOperation } from './intake.js';
import * as statements from './lease-statements.js';
import type { Claim } from './leases.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

describe('a band', () => {
  const others = (bandId: string, ...fileIds: string[]): NewOperation[] =>
    fileIds.map((fileId) => file(fileId, { bandId, priority: 'low' }));
  const numbered = (many: number): string[] => Array.from({ length: many }, (_, n) => `f${String(n).padStart(4, '0')}`);
  const pass = async (minutes: number): Promise<void> => {
    await rig.source.query(`update sync_operation set run_at = run_at - $1 * interval '1 minute'`, [minutes]);
    await rig.source.query(
      `update sync_band_pace set minute_ends_at = minute_ends_at - $1 * interval '1 minute',
         paused_since = paused_since - $1 * interval '1 minute', paused_until = paused_until - $1 * interval '1 minute'`,
      [minutes],
    );
  };
  const busy = { code: 'drive_busy', message: 'The quota is spent.' };

  it('begins as many operations in a minute as it may, on all nodes, by priority and age, and the others after it', async () => {
    const workers = await Promise.all([1, 2, 3, 4].map((number) => rig.worker(number, { bandOperationsPerMinute: 10 })));
    await rig.enqueue(...others('b1', ...numbered(25)), file('high', { bandId: 'b1', priority: 'high' }));
    const minute = async (): Promise<(string | null)[]> => {
      const claims: Claim[] = [];
      for (const worker of workers) claims.push(...(await worker.leases.claim(4, every)));
      expect(await workers[0]!.leases.claim(0, every, 1)).toEqual([]);
      await rig.complete(...claims);
      return filesOf(claims).sort();
    };
    expect(await minute()).toEqual([...numbered(25).slice(0, 9), 'high']);
    expect(await rig.paces.pauseOf('b1')).toMatchObject({ code: 'band_limit_reached' });
    await pass(1);
    expect(await rig.paces.pauseOf('b1')).toBeNull();
    expect(await minute()).toEqual(numbered(25).slice(9, 19));
    await pass(1);
    expect(await minute()).toEqual(numbered(25).slice(19));
    expect(await rig.paces.pauseOf('b1')).toBeNull();
  });

  it('goes by the limit that its leaders chose, and by no other', async () => {
    await rig.source.query(`insert into sync_band_setting (band_id, operations_per_minute) values ('b1', 2), ('b2', null)`);
    const [unlimited, limited] = [await rig.worker(1), await rig.worker(2, { bandOperationsPerMinute: 3 })];
    const all = ['b1', 'b2', 'b3'].flatMap((bandId) =>
      others(bandId, ...numbered(5).map((fileId) => `${bandId} ${fileId}`)),
    );
    const begun = async (worker: Worker): Promise<Record<string, number>> => {
      const claims: Claim[] = [];
      for (let more = await worker.leases.claim(9, every); more.length > 0; more = await worker.leases.claim(9, every))
        claims.push(...more);
      const bands = claims.map(({ operation }) => operation.bandId!);
      return Object.fromEntries(['b1', 'b2', 'b3'].map((band) => [band, bands.filter((each) => each === band).length]));
    };
    await rig.enqueue(...all);
    expect(await begun(limited)).toEqual({ b1: 2, b2: 3, b3: 3 });
    expect(await rig.paces.pauseOf('b1')).toMatchObject({ message: 'The band has begun the 2 operations of this minute.' });
    await pass(1);
    expect(await begun(unlimited)).toEqual({ b1: 2, b2: 2, b3: 2 });
  });

  it('begins no more than that when all nodes claim at the same moment, again and again', async () => {
    const workers = await Promise.all([1, 2, 3, 4].map((number) => rig.worker(number, { bandOperationsPerMinute: 10 })));
    await rig.enqueue(...others('b1', ...numbered(40)));
    for (const begun of [10, 10, 10, 10, 0]) {
      const all = workers.flatMap((worker) => [
        worker.leases.claim(7, every),
        worker.leases.claim(0, every, 1),
        worker.leases.claim(7, every),
      ]);
      const claims = (await Promise.all(all)).flat();
      expect(claims).toHaveLength(begun);
      await rig.complete(...claims);
      await pass(1);
    }
  });

  it('begins no more than that while the claim of another node is on its way to commit', async () => {
    const worker = await rig.worker(1, { bandOperationsPerMinute: 5 });
    await rig.enqueue(...others('b1', ...numbered(20)));
    expect(await worker.leases.claim(1, every)).toHaveLength(1);
    const elsewhere = rig.source.createQueryRunner();
    await elsewhere.startTransaction();
    const parameters = [[0, 1, 2, 3], 3, 'elsewhere', randomUUID(), 60_000, 2, 5];
    expect(await elsewhere.query(statements.claim(true, false), parameters)).toHaveLength(3);
    const claims = worker.leases.claim(3, every);
    await rig.someoneWaits();
    await elsewhere.commitTransaction();
    await elsewhere.release();
    expect(await claims).toHaveLength(1);
  });

  it('that is at its limit, or paused, holds up no other, and nothing critical', async () => {
    const limited = await rig.worker(1, { bandOperationsPerMinute: 3 });
    await rig.enqueue(...others('b1', ...numbered(500)));
    expect(filesOf(await limited.leases.claim(9, every))).toHaveLength(3);
    await rig.paces.pause('b3', 60_000, busy);
    await rig.enqueue(file('waits', { bandId: 'b3', priority: 'high' }));
    await rig.enqueue(...others('b2', 'other'), file('urgent', { bandId: 'b3', priority: 'critical' }));
    expect(filesOf(await limited.leases.claim(2, every))).toEqual(['urgent']);
    expect(filesOf(await limited.leases.claim(2, every))).toEqual(['other']);
    await rig.enqueue(file('now', { bandId: 'b1', priority: 'critical' }), ...others('b2', 'oldest'));
    expect(filesOf(await limited.leases.claim(0, every, 1))).toEqual(['now']);
    expect(filesOf(await limited.leases.claim(0, every, 1))).toEqual(['oldest']);
  });

  it('that is paused keeps nobody waiting who has claimed something, and it is known that others may be due behind it', async () => {
    const worker = await rig.worker(1);
    await rig.paces.pause('b1', 60_000, busy);
    await rig.enqueue(file('first', { bandId: 'b2', priority: 'high' }), file('waits'), ...others('b2', 'behind'));
    const onLeft = jest.fn();
    expect(filesOf(await worker.leases.claim(2, every, 0, onLeft))).toEqual(['first']);
    expect(onLeft).toHaveBeenCalledTimes(1);
    expect(filesOf(await worker.leases.claim(2, every, 0, onLeft))).toEqual(['behind']);
    expect(onLeft).toHaveBeenCalledTimes(1);
  });

  it('that is limited has its turns as the oldest, too', async () => {
    const [worker, chosen] = [await rig.worker(1, { bandOperationsPerMinute: 1 }), await rig.worker(2)];
    await rig.enqueue(...others('b1', 'a'), ...others('b2', 'b'), file('c', { bandId: 'b3', priority: 'high' }));
    expect(filesOf(await worker.leases.claim(0, every, 1))).toEqual(['a']);
    await rig.source.query(`insert into sync_band_setting (band_id, operations_per_minute) values ('b2', 5)`);
    expect(filesOf(await chosen.leases.claim(0, every, 1))).toEqual(['b']);
    expect(filesOf(await chosen.leases.claim(1, every))).toEqual(['c']);
  });

  it('that is paused goes on by itself where it was, on every node, with the news that came meanwhile', async () => {
    const [one, other] = [await rig.worker(1), await rig.worker(2)];
    await rig.enqueue(...others('b1', ...numbered(12)));
    const [claim] = await one.leases.claim(1, every);
    await rig.paces.pause('b1', 30_000, busy);
    await rig.settlements.fail(claim!, { ...again, ...busy, retryInMs: 30_000, isFree: true });
    expect(await other.leases.claim(9, every)).toEqual([]);
    await rig.enqueue(file('news', { priority: 'high' }), ...others('b1', 'f0005'));
    expect(await other.leases.claim(9, every)).toEqual([]);
    expect(await rig.paces.pauseOf('b1')).toMatchObject({ ...busy, since: expect.any(Date), until: expect.any(Date) });
    await pass(1);
    const claims = await other.leases.claim(20, every);
    const [first, ...lows] = filesOf(claims);
    expect(first).toBe('news');
    // The one that failed asks again a little later; the one that news joined keeps no place before the others.
    expect([...lows].sort()).toEqual(numbered(12));
    const inTheirOrder = numbered(12).filter((name) => name !== 'f0000' && name !== 'f0005');
    expect(lows.filter((name) => inTheirOrder.includes(name!))).toEqual(inTheirOrder);
  });

  it('that is paused goes on in its order, wherever the rows lie by then', async () => {
    const worker = await rig.worker(1);
    await rig.enqueue(...others('b1', ...numbered(12)));
    await rig.paces.pause('b1', 30_000, busy);
    expect(await worker.leases.claim(20, every)).toEqual([]);
    await rig.source.query('cluster sync_operation using sync_operation_pkey');
    await pass(1);
    expect(filesOf(await worker.leases.claim(20, every))).toEqual(numbered(12));
  });

  it('that is paused leaves critical news where they were in the line, also of a file that is being worked on', async () => {
    const worker = await rig.worker(1);
    await rig.enqueue(file('f', { priority: 'critical' }));
    const [claim] = await worker.leases.claim(1, every);
    await rig.enqueue(file('f', { priority: 'critical' }), ...others('b1', 'g'));
    await rig.paces.pause('b1', 60_000, busy);
    expect(await worker.leases.claim(9, every)).toEqual([]);
    await rig.complete(claim!);
    expect(filesOf(await worker.leases.claim(9, every))).toEqual(['f']);
  });

  it('that is paused and has spent its minute goes on when its drive lets it, and not when the minute is over', async () => {
    const worker = await rig.worker(1, { bandOperationsPerMinute: 2 });
    await rig.enqueue(...others('b1', 'a', 'b'));
    expect(await worker.leases.claim(2, every)).toHaveLength(2);
    await rig.paces.pause('b1', 1_800_000, busy);
    const pause = await rig.paces.pauseOf('b1');
    await rig.enqueue(...others('b1', 'c'));
    expect(await worker.leases.claim(9, every)).toEqual([]);
    expect(await rig.paces.pauseOf('b1')).toEqual(pause);
  });

  it('that is limited costs no other what it has in its hands, where its minute cannot be counted', async () => {
    const worker = await rig.worker(1);
    await rig.source.query(`insert into sync_band_setting (band_id, operations_per_minute) values ('b1', 5)`);
    await rig.source.query(`insert into sync_band_pace (band_id) values ('b1')`);
    await rig.source.query(
      `create function refuse() returns trigger language plpgsql as 'begin raise exception ''refused''; end'`,
    );
    await rig.source.query('create trigger refused before update on sync_band_pace for each row execute function refuse()');
    await rig.enqueue(...others('b1', 'limited'), ...others('b2', 'other'));
    const onLeft = jest.fn();
    expect(filesOf(await worker.leases.claim(9, every, 0, onLeft))).toEqual(['other']);
    expect(onLeft).toHaveBeenCalledTimes(1);
    await expect(worker.leases.claim(9, every)).rejects.toThrow('refused');
  });

  it('that has spent its minute leaves those for later that are due later', async () => {
    const worker = await rig.worker(1, { bandOperationsPerMinute: 1 });
    const [later] = await rig.enqueue(...others('b1', 'a'));
    const [claim] = await worker.leases.claim(1, every);
    await rig.settlements.fail(claim!, { ...again, retryInMs: 3_600_000 });
    const { runAt } = await rig.row(later!);
    await rig.enqueue(...others('b1', 'b'));
    expect(await worker.leases.claim(9, every)).toEqual([]);
    expect(await rig.paces.pauseOf('b1')).toMatchObject({ code: 'band_limit_reached' });
    expect(await rig.row(later!)).toMatchObject({ runAt });
  });

  it('is paused until the latest that was asked for, and for an hour at most', async () => {
    await rig.paces.pause('b1', 60_000, busy);
    const first = await rig.paces.pauseOf('b1');
    await rig.paces.pause('b1', 1_000, { ...busy, message: 'Still.' });
    expect(await rig.paces.pauseOf('b1')).toEqual({ ...first, message: 'Still.' });
    await rig.paces.pause('b1', 86_400_000 * 365, busy);
    const { since, until } = (await rig.paces.pauseOf('b1'))!;
    expect(since).toEqual(first!.since);
    expect(until.getTime() - Date.now()).toBeLessThan(3_660_000);
    await pass(61);
    expect(await rig.paces.pauseOf('b1')).toBeNull();
    await rig.paces.pause('b1', 60_000, busy);
    expect((await rig.paces.pauseOf('b1'))!.since.getTime()).toBeGreaterThan(since.getTime());
  });
});
