import { limits } from '@soleil/sync-protocol';
import { LogRig } from '../../test/log-rig.js';
import { QueueParts } from '../../test/queue-parts.js';
import { SyncOperation } from '../entities/sync-operation.js';
import { EventBroadcaster } from '../event-broadcaster.js';
import type { Claim } from '../queue/leases.js';
import { BandSettings } from '../settings/band-settings.js';
import { fileOperation } from './band-work.js';
import { Completions } from './completions.js';
import { FileSynchronizer } from './file-synchronizer.js';

let rig: LogRig;

beforeEach(async () => {
  rig = await LogRig.make();
});
afterEach(() => rig.remove());

it('what cannot be published is not completed either, and takes no other with it', async () => {
  const { database, publisher } = await rig.node();
  const queue = new QueueParts(database);
  const { leases } = queue.process(1);
  // Only what publishes is used of these two.
  const broadcaster = new EventBroadcaster(publisher, null as never);
  const files = new FileSynchronizer(null as never, broadcaster, database, new BandSettings(database));
  const completions = new Completions(queue.database, queue.settlements, files);
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
  await queue.intake.enqueue(names.map((name) => ({ ...fileOperation('b1', name), priority: 'high', cause: 'test' })));
  const claims = await leases.claim(3, ['high']);

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
  expect(await leases.renew(claims)).toEqual(new Set(operations.slice(0, 2).map(({ id }) => id)));
});
