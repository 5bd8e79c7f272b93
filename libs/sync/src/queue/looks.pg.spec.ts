import { QueueRig, type Worker } from '../../test/queue-rig.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { bandOperation, fileOperation } from '../engine/band-work.js';
import type { Intake, Look, NewOperation } from './intake.js';
import type { Claim } from './leases.js';
import type { Failure } from './settlements.js';

const minuteMs = 60_000;
const aMinute = { intervalMs: minuteMs };
const away: Failure = { code: 'folder_missing', message: 'Gone.', remedy: 'Wait.', retryInMs: null, isFree: false };

let rig: QueueRig;
let intake: Intake;
let worker: Worker;

beforeEach(async () => {
  rig = await QueueRig.make();
  intake = rig.intake;
  worker = await rig.worker(1);
});
afterEach(() => rig.remove());

const look = (bandId: string, priority: Look['priority'] = 'low'): Look => ({
  ...bandOperation(bandId, 'delta'),
  priority,
  cause: 'test',
});
const operations = (): Promise<SyncOperation[]> => rig.source.getRepository(SyncOperation).find();
const claim = async (): Promise<Claim> => (await worker.leases.claim(1, ['high', 'normal', 'low']))[0]!;
const age = (): Promise<unknown> =>
  rig.source.query(
    `update sync_operation set prepared_at = prepared_at - interval '1 hour', finished_at = finished_at - interval '1 hour'`,
  );

it('looks over a band that never was, and again when that was long ago', async () => {
  expect(await intake.enqueueLooks([look('b1'), look('b2')], aMinute)).toEqual(['b1', 'b2']);
  for (const _ of [1, 2]) await rig.settlements.complete([{ ...(await claim()), preparedMs: 1 }]);
  expect(await intake.enqueueLooks([look('b1'), look('b2')], aMinute)).toEqual([]);
  await age();
  expect(await intake.enqueueLooks([look('b2')], aMinute)).toEqual(['b2']);
});

it('enqueues one where twenty processes do at the same moment, and leaves bands alone that are not theirs', async () => {
  const bands = ['b1', 'b2', 'b3'].map((bandId) => look(bandId));
  const all = await Promise.all(Array.from({ length: 20 }, () => intake.enqueueLooks(bands, aMinute)));
  expect(all.flat().sort()).toEqual(['b1', 'b2', 'b3']);
  expect(await operations()).toHaveLength(3);
});

it('joins a look that waits only to make it more urgent', async () => {
  await intake.enqueueLooks([look('b1', 'low')], aMinute);
  expect(await intake.enqueueLooks([look('b1', 'low')], aMinute)).toEqual([]);
  expect(await intake.enqueueLooks([look('b1', 'normal')], aMinute)).toEqual(['b1']);
  expect(await operations()).toMatchObject([{ priority: 2 }]);
});

it('leaves a look that is being done to who does it, however long it takes', async () => {
  await intake.enqueueLooks([look('b1')], aMinute);
  const { operation } = await claim();
  expect(await intake.enqueueLooks([look('b1', 'high')], { olderThanMs: 0, intervalMs: 0 })).toEqual([]);
  expect((await operations()).map(({ id }) => id)).toEqual([operation.id]);
});

it('looks again while what the last look came upon is still being worked on', async () => {
  await intake.enqueueLooks([look('b1')], aMinute);
  const held = await claim();
  const item = { ...fileOperation('b1', 'f1'), fileId: 'f1', priority: 'low', cause: 'test' } as const;
  await rig.items.add(held, [item]);
  await rig.items.spread(held);
  expect(await intake.enqueueLooks([look('b1')], aMinute)).toEqual([]);
  await age();
  expect(await intake.enqueueLooks([look('b1')], aMinute)).toEqual(['b1']);
});

it('looks over a band whose files are worked on all the time: none of that tells what is missing', async () => {
  await intake.enqueue([{ ...fileOperation('b1', 'f1'), priority: 'high', cause: 'test' }]);
  await rig.settlements.complete([{ ...(await claim()), preparedMs: 1 }]);
  expect(await intake.enqueueLooks([look('b1')], aMinute)).toEqual(['b1']);
});

it('tries a dead look again an interval later, instead of leaving one more', async () => {
  await intake.enqueueLooks([look('b1')], aMinute);
  const held = await claim();
  await rig.settlements.fail(held, away);
  expect(await intake.enqueueLooks([look('b1')], aMinute)).toEqual([]);
  await age();
  expect(await intake.enqueueLooks([look('b1')], aMinute)).toEqual(['b1']);
  expect(await operations()).toMatchObject([{ id: held.operation.id, status: 'pending', attempts: 0 }]);
});

it('leaves a look that may be what ends workers to people, and makes a new one', async () => {
  await intake.enqueueLooks([look('b1')], aMinute);
  await claim();
  await worker.die();
  const other = await rig.worker(2);
  await other.losses.reclaim(1, 0);
  await age();
  expect(await intake.enqueueLooks([look('b1')], aMinute)).toEqual(['b1']);
  expect((await operations()).map(({ status }) => status).sort()).toEqual(['dead', 'pending']);
});

it("goes by the bands' own intervals, where it is not told how long ago a look may be", async () => {
  const bands = ['b1', 'b2', 'b3'].map((bandId) => look(bandId));
  await intake.enqueueLooks(bands, aMinute);
  for (const _ of bands) await rig.settlements.complete([{ ...(await claim()), preparedMs: 1 }]);
  await age();
  await rig.source.query(
    `insert into sync_band_setting (band_id, interval_seconds) values ('b1', 7200), ('b2', 1800), ('b3', null)`,
  );
  expect(await intake.enqueueLooks(bands, { intervalMs: 120 * minuteMs })).toEqual(['b2']);
  expect(await intake.enqueueLooks(bands, aMinute)).toEqual(['b3']);
  expect(await intake.enqueueLooks(bands, { ...aMinute, olderThanMs: 1 })).toEqual(['b1']);
});

describe('a full sync', () => {
  const full: NewOperation = { ...bandOperation('b1', 'full'), priority: 'normal', cause: 'settings' };
  const modes = async () => (await operations()).map(({ status, mode }) => [status, mode]).sort();

  it('that fails while a look waits is what that becomes', async () => {
    await intake.enqueue([full]);
    const held = await claim();
    await intake.enqueue([look('b1')]);
    await rig.settlements.fail(held, { ...away, retryInMs: 0 });
    expect(await modes()).toEqual([
      ['cancelled', 'full'],
      ['pending', 'full'],
    ]);
  });

  it('that is dead and tried again while a look waits is what that becomes', async () => {
    await intake.enqueue([full]);
    const held = await claim();
    await rig.settlements.fail(held, away);
    await intake.enqueue([look('b1')]);
    await intake.retry(held.operation.id);
    expect(await modes()).toEqual([
      ['cancelled', 'full'],
      ['pending', 'full'],
    ]);
  });
});
