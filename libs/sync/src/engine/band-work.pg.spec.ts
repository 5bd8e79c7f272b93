import { randomUUID } from 'node:crypto';
import type { Bus } from '@soleil/bus';
import { LogRig } from '../../test/log-rig.js';
import { bandOperation, BandWork } from './band-work.js';
import { Intake } from './intake.js';
import { OperationQueue } from './operation-queue.js';

let rig: LogRig;

beforeEach(async () => {
  rig = await LogRig.make();
});
afterEach(() => rig.remove());

it('a delta sync that finds nothing more, as what it found before was told meanwhile, ends with its items', async () => {
  const { database } = await rig.node();
  const intake = new Intake(database);
  const queue = new OperationQueue(database, intake, {
    node: 'n',
    worker: 1,
    leaseMs: 60_000,
    bandOperationsPerMinute: null,
  });
  const found = [{ eventId: randomUUID(), fileId: 'f', kind: 'changed' }];
  const bus = { request: () => Promise.resolve({ changes: found.length, found: found.splice(0) }) } as unknown as Bus;
  const work = new BandWork(bus, database, intake, 60_000);
  await intake.enqueue([{ ...bandOperation('b1', 'delta'), priority: 'low', cause: 'interval' }]);

  const [claim] = await queue.claim(1, ['low']);
  const effect = await work.prepareBand(claim!.operation);
  if (effect.kind !== 'items') throw new Error('It found a change.');
  await queue.addItems(claim!, effect.items);
  const again = await work.prepareBand(claim!.operation);
  expect(again).toEqual({ kind: 'items', items: [] });
  expect(await queue.spread(claim!)).toMatchObject({ total: 1, done: 0, status: 'running' });
  expect(await queue.complete([{ ...(await queue.claim(1, ['high']))[0]!, preparedMs: 1 }])).toMatchObject({
    progress: [{ total: 1, done: 1, status: 'completed' }],
  });
  expect(await work.prepareBand({ ...claim!.operation, id: randomUUID() })).toEqual({ kind: 'none' });
});
