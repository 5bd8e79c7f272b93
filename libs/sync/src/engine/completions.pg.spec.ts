import { limits } from '@soleil/sync-protocol';
import { LogRig } from '../../test/log-rig.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { EventBroadcaster } from '../event-broadcaster.js';
import { BandSettings } from '../settings/band-settings.js';
import { fileOperation } from './band-work.js';
import { Completions } from './completions.js';
import { FileSynchronizer } from './file-synchronizer.js';
import { Intake } from './intake.js';
import { OperationQueue, type Claim } from './operation-queue.js';

let rig: LogRig;

beforeEach(async () => {
  rig = await LogRig.make();
});
afterEach(() => rig.remove());

it('what cannot be published is not completed either, and takes no other with it', async () => {
  const { database, publisher } = await rig.node();
  const intake = new Intake(database);
  const queue = new OperationQueue(database, intake, {
    node: 'n',
    worker: 1,
    leaseMs: 60_000,
    bandOperationsPerMinute: null,
  });
  // Only what publishes is used of these two.
  const broadcaster = new EventBroadcaster(publisher, null as never);
  const files = new FileSynchronizer(null as never, broadcaster, database, new BandSettings(database));
  const completions = new Completions(queue, files);
  const complete = async (claim: Claim): Promise<string> => {
    const fileId = claim.operation.fileId!;
    const data = { text: fileId === 'large' ? 'x'.repeat(limits.messageBytes) : 'short' };
    const wishable = { path: fileId, size: 0, hasNewerNamesake: false };
    const wanted = { fileId, bandId: 'b1', revision: 1, living: { channel: 'band:b1', data, wishable } };
    const outcome = completions.complete({ claim, effect: { kind: 'file', wanted }, preparedMs: 1 });
    return outcome.then(
      () => `${fileId} completed`,
      (error: { code: string }) => `${fileId} ${error.code}`,
    );
  };
  const names = ['a', 'large', 'b'];
  await intake.enqueue(names.map((name) => ({ ...fileOperation('b1', name), priority: 'high', cause: 'test' })));
  const claims = await queue.claim(3, ['high']);

  expect((await Promise.all(claims.map(complete))).sort()).toEqual([
    'a completed',
    'b completed',
    'large message_too_large',
  ]);
  const operations = await database.getRepository(SyncOperation).find({ order: { fileId: 'ASC' } });
  expect(operations.map(({ fileId, status }) => `${fileId} ${status}`)).toEqual([
    'a completed',
    'b completed',
    'large running',
  ]);
  expect(await database.query('select key from sync_outbox order by key')).toEqual([{ key: 'file:a' }, { key: 'file:b' }]);
  expect(await queue.renew(claims)).toEqual(new Set(operations.slice(0, 2).map(({ id }) => id)));
});
