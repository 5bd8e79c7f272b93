import { every, file, never, QueueRig } from '../../test/queue-rig.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { OperationHistory } from './operation-history.js';

let rig: QueueRig;

beforeEach(async () => {
  rig = await QueueRig.make();
});
afterEach(() => rig.remove());

it('forgets what finished long ago with its items and events, and nothing that is dead or open', async () => {
  const worker = await rig.worker(1);
  const [done] = await rig.enqueue(file('done', { eventId: 'e1' }), file('dead', { eventId: 'e2' }));
  for (const claim of await worker.leases.claim(2, every))
    await (claim.operation.id === done ? rig.complete(claim) : rig.settlements.fail(claim, never));
  await rig.enqueue(file('open'));
  await rig.source.query(
    `update sync_operation set finished_at = finished_at - interval '31 days', created_at = created_at - interval '31 days'`,
  );
  await rig.source.query(`update sync_inbox set received_at = received_at - interval '31 days' where event_id = 'e1'`);
  await new OperationHistory(rig.database, { operationDays: 30, retentionIntervalMs: 60_000 }).prune();
  const left = await rig.source.getRepository(SyncOperation).find({ order: { fileId: 'ASC' } });
  expect(left.map(({ fileId }) => fileId)).toEqual(['dead', 'open']);
  expect(await rig.source.query('select event_id from sync_inbox')).toEqual([{ event_id: 'e2' }]);
});
