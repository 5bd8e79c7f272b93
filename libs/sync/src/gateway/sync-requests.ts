import { SyncError, type SyncRequest } from '@soleil/sync-protocol';
import { bandOperation, fileOperation } from '../engine/band-work.js';
import type { FileSynchronizer } from '../engine/file-synchronizer.js';
import type { RequestBudget } from '../engine/request-budget.js';
import type { SyncEngine } from '../engine/sync-engine.js';
import { chooseDifferently, type BandSettings, type Settings } from '../settings/band-settings.js';
import { belongsTo, leads, type Access } from './access.js';

/** What people may ask the engine for. */
export class SyncRequests {
  constructor(
    private readonly engine: SyncEngine,
    private readonly files: FileSynchronizer,
    private readonly budget: RequestBudget,
    private readonly bandSettings: BandSettings,
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

  /** @throws SyncError `band_forbidden`, `leader_only` */
  async settings(access: Access, bandId: string): Promise<Settings> {
    mustLead(access, bandId);
    return this.bandSettings.of(bandId);
  }

  /**
   * Changes what is given of a band's settings. Where other files are wanted than before, every file is looked at again, by an operation
   * of the same transaction. It finds all that earlier operations may still bring or take under the settings of before, since it
   * begins when they have changed, and of one file operations follow one another.
   * @returns the settings, and the full sync's id
   * @throws SyncError `band_forbidden`, `leader_only`, `rate_limited`
   */
  async changeSettings(
    userId: string,
    access: Access,
    bandId: string,
    changes: Partial<Settings>,
  ): Promise<{ settings: Settings; operationId: string | null }> {
    mustLead(access, bandId);
    await this.budget.spend(userId);
    return this.bandSettings.change(bandId, changes, async ({ before, after }, transaction) => {
      const full = { ...bandOperation(bandId, 'full'), priority: 'high', cause: 'settings', userId } as const;
      const operationId = chooseDifferently(before, after) ? await this.engine.enqueue(full, { transaction }) : null;
      return { settings: after, operationId };
    });
  }
}

function mustLead(access: Access, bandId: string): void {
  if (!belongsTo(access, bandId)) throw new SyncError('band_forbidden', 'You are not a member of this band.');
  if (!leads(access, bandId))
    throw new SyncError('leader_only', 'Only a leader sees and changes how the band is synchronised.');
}
