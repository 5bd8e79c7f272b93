import type { Bus, DriveChange, FileFact } from '@soleil/bus';
import type { SyncOperation } from '../entities/sync-operation.js';
import type { Intake, NewOperation } from '../queue/intake.js';
import type { QueueDatabase } from '../queue/queue-database.js';
import type { Effect } from './work.js';

const noEffect: Effect = { kind: 'none' };

/** Operations that are about more than one file; what they find becomes an operation for each. */
export class BandWork {
  constructor(
    private readonly bus: Bus,
    private readonly database: QueueDatabase,
    private readonly intake: Intake,
    private readonly bandSyncIntervalMs: number,
  ) {}

  /**
   * `delta`: Drive looks for changes; each is an item, and one with the fact that tells of it. `full`: also every file that Drive or the
   * manifest knows is checked.
   */
  async prepareBand({ id, bandId, mode }: SyncOperation): Promise<Effect> {
    const { found } = await this.bus.request('drive.rescan_requested', { bandId: bandId! });
    const changed = found.map(({ eventId, fileId, kind }) => ({
      ...changeOperation(kind, { bandId: bandId!, fileId, eventId }),
      fileId,
      parentId: id,
    }));
    if (mode !== 'full')
      return changed.length > 0 || (await this.hasItems(id)) ? { kind: 'items', items: changed } : noEffect;
    const { fileIds } = await this.bus.request('drive.files_requested', { bandId: bandId! });
    const published = await this.database.query<{ file_id: string }>(
      `select file_id from sync_file where band_id = $1 and channel is not null`,
      [bandId],
    );
    const all = [...new Set([...fileIds, ...published.map(({ file_id }) => file_id)])].sort();
    const isChanged = new Set(found.map(({ fileId }) => fileId));
    const others = all
      .filter((fileId) => !isChanged.has(fileId))
      .map((fileId) => ({
        ...fileOperation(bandId!, fileId),
        fileId,
        priority: 'low' as const,
        cause: 'full_sync',
        parentId: id,
      }));
    return { kind: 'items', items: [...changed, ...others] };
  }

  /** Somebody signed in: bands that were not looked at for an interval are, so that what their devices get is fresh. */
  async prepareUserSetup({ id, userId }: SyncOperation): Promise<Effect> {
    const { memberships } = await this.bus.request('auth.memberships_requested', { userId: userId! });
    // Before the operation that found them completes: should this process die in between, it runs again.
    await this.intake.enqueueLooks(
      memberships.map(({ bandId }) => ({
        ...bandOperation(bandId, 'delta'),
        priority: 'normal',
        cause: 'auth.user_logged_in',
        parentId: id,
      })),
      { intervalMs: this.bandSyncIntervalMs },
    );
    return noEffect;
  }

  /** What it found in an earlier attempt has been told since, and is not found again; it ends with the last of these all the same. */
  private async hasItems(id: string): Promise<boolean> {
    return (await this.database.query('select from sync_item where operation_id = $1 limit 1', [id])).length > 0;
  }
}

type Subject = Pick<NewOperation, 'kind' | 'orderingKey' | 'bandId' | 'fileId' | 'mode'>;

export const fileOperation = (bandId: string, fileId: string): Subject => ({
  kind: 'file',
  orderingKey: `file:${fileId}`,
  bandId,
  fileId,
});

/** What a change of Drive leads to, by whichever way it is heard of first: the event's id makes both ways one operation. */
export const changeOperation = (
  kind: DriveChange['kind'],
  { bandId, fileId, eventId }: Pick<FileFact, 'bandId' | 'fileId' | 'eventId'>,
): NewOperation => ({
  ...fileOperation(bandId, fileId),
  priority: kind === 'added' ? 'normal' : 'high',
  cause: `drive.file_${kind}`,
  eventId,
});

export const bandOperation = (bandId: string, mode: 'delta' | 'full'): Subject & { bandId: string } => ({
  kind: 'band',
  orderingKey: `band:${bandId}`,
  bandId,
  mode,
});
