import { together, type DriveFile } from '@soleil/bus';
import { In, type DataSource, type EntityManager } from 'typeorm';
import { SyncBandSetting, type SameName } from '../entities/sync-band-setting.js';
import { isDatabaseAway } from '../log/database-away.js';

/** How a band wants to be synchronised; null is the default. */
export interface Settings {
  /** It is looked over when the last look is longer ago than this. Default: `bandSyncIntervalMs`. */
  intervalSeconds: number | null;
  /** The endings of the files' names, `pdf` and `mp3`, in small letters. Default: all files. */
  fileTypes: readonly string[] | null;
  /** Larger files are left out. Default: no limit. */
  largestBytes: number | null;
  /** Which of several files with one name in one folder: each, or the one that was changed last. Default: all. */
  sameName: SameName | null;
  /** Operations that begin in a minute, at most. Default: `bandOperationsPerMinute`. */
  operationsPerMinute: number | null;
}

export const defaultSettings: Settings = {
  intervalSeconds: null,
  fileTypes: null,
  largestBytes: null,
  sameName: null,
  operationsPerMinute: null,
};

/**
 * What the leaders of bands have chosen. Never remembered, but read when it is needed: what a change leads to relies on each operation
 * that begins after it knowing of it, on all nodes.
 */
export class BandSettings {
  /** @throws what the database throws */
  readonly of: (bandId: string) => Promise<Settings>;

  constructor(private readonly database: DataSource) {
    this.of = together(
      async (bandIds: readonly string[]) => {
        const known = await this.ofAll(bandIds, database.manager);
        return bandIds.map((bandId) => known.get(bandId) ?? defaultSettings);
      },
      { atMost: 200, isHopeless: isDatabaseAway },
    );
  }

  /** As the transaction sees them. */
  async ofAll(bandIds: readonly string[], transaction: EntityManager): Promise<ReadonlyMap<string, Settings>> {
    const rows = await transaction.findBy(SyncBandSetting, { bandId: In([...new Set(bandIds)]) });
    return new Map(rows.map(({ bandId, ...settings }) => [bandId, settings]));
  }

  /**
   * Changes what is given, and leaves the rest as it is; two who do so at the same moment do it one after the other.
   * @param alongside what else is done in this transaction
   */
  async change<Outcome>(
    bandId: string,
    { fileTypes, ...others }: Partial<Settings>,
    alongside: (change: { before: Settings; after: Settings }, transaction: EntityManager) => Promise<Outcome>,
  ): Promise<Outcome> {
    return this.database.transaction(async (transaction) => {
      await transaction.query(`insert into sync_band_setting (band_id) values ($1) on conflict do nothing`, [bandId]);
      const lock = { mode: 'pessimistic_write' } as const;
      const { bandId: _, ...before } = await transaction.findOneOrFail(SyncBandSetting, { where: { bandId }, lock });
      const types = fileTypes === undefined ? {} : { fileTypes: fileTypes && [...new Set(fileTypes)].sort() };
      const after = { ...before, ...others, ...types };
      await transaction.update(SyncBandSetting, { bandId }, after);
      return alongside({ before, after }, transaction);
    });
  }
}

/** Whether files that were left out are to be brought, or the other way round. */
export const chooseDifferently = (one: Settings, other: Settings): boolean =>
  one.largestBytes !== other.largestBytes ||
  String(one.fileTypes) !== String(other.fileTypes) ||
  (one.sameName === 'newest') !== (other.sameName === 'newest');

/** What a band's wish for a file depends on. */
export type Wishable = Pick<DriveFile, 'path' | 'size' | 'hasNewerNamesake'>;

/** Whether the band wants this file. */
export const wants = (
  { fileTypes, largestBytes, sameName }: Settings,
  { path, size, hasNewerNamesake }: Wishable,
): boolean =>
  (fileTypes === null || fileTypes.includes(typeOf(path))) &&
  (largestBytes === null || size <= largestBytes) &&
  !(sameName === 'newest' && hasNewerNamesake);

/** The ending of a file's name, in small letters; empty where it has none. */
function typeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}
