import { SyncError, type SyncRequest } from '@soleil/sync-protocol';
import { bandOperation, fileOperation } from '../engine/band-work.js';
import type { FileSynchronizer } from '../engine/file-synchronizer.js';
import type { RequestBudget } from '../engine/request-budget.js';
import type { SyncEngine } from '../engine/sync-engine.js';
import { belongsTo, leads, type Access } from './access.js';

/** What people may ask the engine for. */
export class SyncRequests {
  constructor(
    private readonly engine: SyncEngine,
    private readonly files: FileSynchronizer,
    private readonly budget: RequestBudget,
  ) {}

  /**
   * @returns the operation's id
   * @throws SyncError `rate_limited`, `band_forbidden`, `leader_only`, `file_unknown` (also for a file of a channel one may not have: that it exists is not told)
   */
  async request(userId: string, access: Access, { scope, id, mode }: SyncRequest): Promise<string> {
    await this.budget.spend(userId);
    const asked = { priority: 'high', cause: 'request', userId } as const;
    if (scope === 'file') {
      const file = await this.files.channelOf(id);
      if (!file?.channel || !access.channels.has(file.channel))
        throw new SyncError('file_unknown', 'There is no such file in your library.');
      return this.engine.enqueue({ ...fileOperation(file.bandId, id), ...asked });
    }
    if (!belongsTo(access, id)) throw new SyncError('band_forbidden', 'You are not a member of this band.');
    if (mode === 'full' && !leads(access, id)) throw new SyncError('leader_only', 'Only a leader may start a full sync.');
    return this.engine.enqueue({ ...bandOperation(id, mode), ...asked });
  }

  /** Tries a dead operation again. @throws SyncError `rate_limited`, and what the engine throws */
  async retry(userId: string, operationId: string): Promise<void> {
    await this.budget.spend(userId);
    await this.engine.retry(operationId);
  }
}
