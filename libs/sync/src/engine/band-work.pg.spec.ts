import { randomUUID } from 'node:crypto';
import type { Bus } from '@soleil/bus';
import { LogRig } from '../../test/log-rig.js';
import { QueueParts } from '../../test/queue-parts.js';
import { bandOperation, BandWork } from './band-work.js';

let rig: LogRig;

beforeEach(async () => {
  rig = await LogRig.make();
});
afterEach(() => rig.remove());

it('a delta sync that finds nothing more, as what it found before was told meanwhile, ends with its items', async () => {
  const { database } = await rig.node();
  const queue = new QueueParts(database);
  const { intake, items, settlements } = queue;
  const { leases } = queue.process(1);
  const found = [{ eventId: randomUUID(), fileId: 'f', kind: 'changed' }];
  const bus = { request: () => Promise.resolve({ changes: found.length, found: found.splice(0) }) } as unknown as Bus;
  const work = new BandWork(bus, queue.database, intake, 60_000);
  await intake.enqueue([{ ...bandOperation('b1', 'delta'), priority: 'low', cause: 'interval' }]);

  const [claim] = await leases.claim(1, ['low']);
  const effect = await work.prepareBand(claim!.operation);
  if (effect.kind !== 'items') throw new Error('It found a change.');
  await items.add(claim!, effect.items);
  const again = await work.prepareBand(claim!.operation);
  expect(again).toEqual({ kind: 'items', items: [] });
  expect(await items.spread(claim!)).toMatchObject({ total: 1, done: 0, status: 'running' });
  expect(await settlements.complete([{ ...(await leases.claim(1, ['high']))[0]!, preparedMs: 1 }])).toMatchObject({
    progress: [{ total: 1, done: 1, status: 'completed' }],
  });
  expect(await work.prepareBand({ ...claim!.operation, id: randomUUID() })).toEqual({ kind: 'none' });
});
