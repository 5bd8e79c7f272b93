import { every, file, filesOf, QueueRig } from '../../test/queue-rig.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

it('ends a running operation under the hands of its worker', async () => {
  const worker = await rig.worker(1);
  const [id] = await rig.enqueue(file('f'));
  const [claim] = await worker.leases.claim(1, every);
  await rig.cancellations.cancel(id!);
  expect(await worker.leases.renew([claim!])).toEqual(new Set([id]));
  expect((await rig.complete(claim!)).tokens).toEqual(new Map());
  await rig.enqueue(file('f'));
  expect(filesOf(await worker.leases.claim(1, every))).toEqual(['f']);
});
