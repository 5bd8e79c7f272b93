import type { Readable } from 'node:stream';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Bus, together, type Answer, type DriveFile, type DriveFileState, type DriveNotification } from '@soleil/bus';
import { DataSource, IsNull } from 'typeorm';
import { BandSource } from './band-source.js';
import { DriveError } from './drive-error.js';
import { driveFileOf, knownFileOf } from './drive-file.js';
import { DriveFileRow } from './entities/drive-file.js';
import { DriveFolderRow } from './entities/drive-folder.js';
import { FolderProvider } from './folder/folder-provider.js';
import type { DriveOptions } from './options.js';
import { backoffMs, Gate, Stop } from './pause.js';
import type { ByteRange, DriveProvider, NotificationHeaders, SourceStatus } from './provider.js';
import { DRIVE_OPTIONS } from './tokens.js';

/** How a band's drive is doing. */
export interface DriveStatus extends SourceStatus {
  bandId: string;
  provider: string;
  /** Files that are present. */
  files: number;
  /** Changes that are committed, but not yet told with a receipt. */
  pendingChanges: number;
}

export interface OpenedFile {
  /** To be read to its end or destroyed. Fails with `revision_gone` when the file is written to meanwhile. */
  stream: Readable;
  file: DriveFile;
  /** First and last byte of the stream, both included; of an empty file 0 and -1. */
  start: number;
  end: number;
}

/** Files that one query looks up. */
const mostAtOnce = 200;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The files of the bands. Watching begins once the application is up, and ends before it goes down. */
@Injectable()
export class DriveService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Drive');
  private readonly providers: ReadonlyMap<string, DriveProvider>;
  private readonly bands = new Map<string, BandSource>();
  private readonly stopping = new Stop();
  /** Opened when the bands that were connected before are watched, or never will be. */
  private readonly begun = new Gate();
  private beginning: Promise<void> = Promise.resolve();
  /** One after another, each as it is stored by then: of two changes of place the later one stays. */
  private attaching: Promise<void> = Promise.resolve();
  private hasBegun = false;
  private readonly finding = together((fileIds: readonly string[]) => this.rowsOf(fileIds), { atMost: mostAtOnce });

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    @Inject(DRIVE_OPTIONS) private readonly options: DriveOptions,
  ) {
    const providers = [new FolderProvider(options), ...options.providers];
    this.providers = new Map(providers.map((provider) => [provider.name, provider]));
  }

  onApplicationBootstrap(): void {
    this.beginning = this.begin().finally(() => this.begun.open());
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.now();
    this.begun.open();
    await this.beginning;
    await Promise.all([...this.bands.values()].map((band) => band.stop()));
  }

  /**
   * Connects a band to a folder of this machine, and to no other. Connecting again to the same is harmless.
   * @param root absolute; it need not be there yet
   * @throws DriveError `settings_invalid`
   */
  async connectFolder({ bandId, root }: { bandId: string; root: string }): Promise<void> {
    await this.connect({ bandId, provider: 'folder', settings: { root } });
  }

  /**
   * Connects a band to its place with any provider. A change of place is a change of files: what is not there is removed.
   * @throws DriveError `provider_unknown`, `settings_invalid`
   */
  async connect({ bandId, provider, settings }: { bandId: string; provider: string; settings: unknown }): Promise<void> {
    const checked = this.providerOf(provider).checkSettings(settings);
    await this.dataSource.transaction(async (manager) => {
      const changed = await manager.query<unknown[]>(
        `insert into drive_folder (band_id, provider, settings) values ($1, $2, $3)
         on conflict (band_id) do update set provider = excluded.provider, settings = excluded.settings, cursor = null, connected_at = clock_timestamp()
         where (drive_folder.provider, drive_folder.settings) is distinct from (excluded.provider, excluded.settings)
         returning band_id`,
        [bandId, provider, checked],
      );
      // It may tell of another drive: the new place makes its own, and ends this one.
      if (changed.length > 0)
        await manager.query('update drive_channel set renew_at = least(renew_at, clock_timestamp()) where band_id = $1', [
          bandId,
        ]);
      await manager.query('insert into drive_cursor (band_id) values ($1) on conflict do nothing', [bandId]);
    });
    if (this.hasBegun) await this.attachStored(bandId);
  }

  /** The bands that are connected, whichever process connected them; this one watches them from now on. */
  async connectedBands(): Promise<string[]> {
    await this.begun.opened;
    await this.attachStored();
    return [...this.bands.keys()];
  }

  /** How each source that this process watches is doing, without asking the database. */
  sources(): (SourceStatus & { bandId: string })[] {
    return [...this.bands].map(([bandId, band]) => ({ bandId, ...band.status() }));
  }

  /** @throws DriveError `band_unknown` */
  async status(bandId: string): Promise<DriveStatus> {
    const folder = await this.dataSource.manager.findOneBy(DriveFolderRow, { bandId });
    if (!folder) throw unknownBand();
    const [counts] = await this.dataSource.query<[{ files: number; pendingChanges: number }]>(
      `select (select count(*)::int from drive_file where band_id = $1 and removed_at is null) as files,
         (select count(*)::int from drive_change join drive_cursor using (band_id) where band_id = $1 and seq > told_seq) as "pendingChanges"`,
      [bandId],
    );
    const source = this.bands.get(bandId)?.status() ?? { state: 'starting' as const, lastScanAt: null, error: null };
    return { bandId, provider: folder.provider, ...source, ...counts };
  }

  /**
   * Compares the band's place with what is known, and resolves when what differed is committed; it is told on the bus soon after.
   * @returns how many changes that were, and which are new since what was told last, whoever came upon them; 10,000 at most
   * @throws DriveError `band_unknown`, `folder_missing`, and what else keeps the source from its work
   */
  async rescan(bandId: string): Promise<Answer<'drive.rescan_requested'>> {
    const band = await this.bandOf(bandId);
    if (!band) throw unknownBand();
    return band.rescan();
  }

  /**
   * Makes sure that a notification comes from a place that a band is connected to, and has that band's source look.
   * @throws DriveError `webhook_unknown`, `webhook_invalid`
   */
  async takeNotification(headers: NotificationHeaders): Promise<DriveNotification> {
    for (const provider of this.providers.values()) {
      const notification = await provider.readNotification?.(headers, this.dataSource);
      if (!notification) continue;
      const band = await this.bandOf(notification.bandId);
      band?.source.nudge?.();
      return notification;
    }
    throw new DriveError('webhook_unknown', 'Nobody has subscribed to this.');
  }

  /** @throws DriveError `file_unknown` */
  async state(fileId: string): Promise<DriveFileState> {
    const row = await this.rowOf(fileId);
    if (!row.removedAt) return { state: 'present', file: driveFileOf(row) };
    return { state: 'removed', fileId: row.fileId, bandId: row.bandId, path: row.path, revision: row.revision };
  }

  /** The files of a band that are present, ascending by path. */
  async files(bandId: string): Promise<DriveFile[]> {
    const rows = await this.dataSource.manager.findBy(DriveFileRow, { bandId, removedAt: IsNull() });
    return rows.map(driveFileOf).sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  /**
   * Opens a file's bytes, of one revision exactly or of the present one: a range of them, or all, or at most so many from the start.
   * @throws DriveError `file_unknown`; `file_removed`; `revision_gone` when the bytes of that revision are not there any more;
   *   `range_invalid`; `folder_missing`; of a drive in the cloud `access_denied`, `credential_revoked`, `drive_busy`,
   *   `drive_unreachable`; the code of the file's problem where it has one
   */
  async open(
    fileId: string,
    { revision, range, atMost }: { revision?: number; range?: ByteRange; atMost?: number } = {},
  ): Promise<OpenedFile> {
    const row = await this.rowOf(fileId);
    if (revision !== undefined && (row.removedAt || revision !== row.revision)) {
      throw new DriveError('revision_gone', 'The file has changed since; these bytes are not there any more.');
    }
    if (row.removedAt) throw new DriveError('file_removed', 'This file was removed.');
    if (row.problem) throw new DriveError(row.problem.code, row.problem.reason);
    const { start, end } = range ?? { start: 0, end: Math.min(row.size, atMost ?? row.size) - 1 };
    if (range && !isWithin(range, row.size)) throw new DriveError('range_invalid', `The file has ${row.size} bytes.`);
    const band = await this.bandOf(row.bandId);
    if (!band) throw new DriveError('folder_missing', 'The folder is not connected yet.');
    return { stream: await band.source.open(knownFileOf(row), { start, end }), file: driveFileOf(row), start, end };
  }

  private async begin(): Promise<void> {
    await this.bus.ready();
    for (let failures = 0; !this.hasBegun && !this.stopping.stopped;) {
      try {
        this.hasBegun = true;
        await this.attachStored();
      } catch (error) {
        this.hasBegun = false;
        this.logger.error(`The bands' folders could not be read: ${error instanceof Error ? error.message : String(error)}`);
        await this.stopping.pause(backoffMs((failures += 1)));
      }
    }
  }

  /** The band's, which another process may have connected. */
  private async bandOf(bandId: string): Promise<BandSource | undefined> {
    await this.begun.opened;
    if (!this.bands.has(bandId)) await this.attachStored(bandId);
    return this.bands.get(bandId);
  }

  /** @param bandId absent: all of them */
  private async attachStored(bandId?: string): Promise<void> {
    const attached = this.attaching.then(async () => {
      const folders = await this.dataSource.manager.findBy(DriveFolderRow, bandId === undefined ? {} : { bandId });
      for (const { bandId: own, provider, settings } of folders) await this.attach(own, provider, settings);
    });
    this.attaching = attached.catch(() => undefined);
    await attached;
  }

  /** Another process has connected the band to another place. */
  private follow(bandId: string): void {
    this.attachStored(bandId).catch((error: unknown) =>
      this.logger.error(
        `Band ${bandId} could not be followed to its new place: ${error instanceof Error ? error.message : String(error)}`,
      ),
    );
  }

  private async attach(bandId: string, provider: string, settings: Record<string, unknown>): Promise<void> {
    const present = this.bands.get(bandId);
    if (present?.isConnectedTo(provider, settings) || this.stopping.stopped) return;
    const band = new BandSource(this.dataSource, this.bus, this.options, this.providerOf(provider), bandId, settings, () =>
      this.follow(bandId),
    );
    this.bands.set(bandId, band);
    await present?.stop();
    await present?.disconnect();
    band.start();
  }

  private providerOf(name: string): DriveProvider {
    const provider = this.providers.get(name);
    if (!provider) throw new DriveError('provider_unknown', `There is no provider "${name}".`);
    return provider;
  }

  private async rowOf(fileId: string): Promise<DriveFileRow> {
    const row = uuid.test(fileId) ? await this.finding(fileId.toLowerCase()) : null;
    if (!row) throw new DriveError('file_unknown', 'There is no such file.');
    return row;
  }

  private async rowsOf(fileIds: readonly string[]): Promise<(DriveFileRow | null)[]> {
    const rows = await this.dataSource
      .createQueryBuilder(DriveFileRow, 'f')
      .where('f.fileId = any(:fileIds::uuid[])', { fileIds })
      .getMany();
    const byId = new Map(rows.map((row) => [row.fileId, row]));
    return fileIds.map((fileId) => byId.get(fileId) ?? null);
  }
}

function isWithin({ start, end }: ByteRange, size: number): boolean {
  return Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end < size;
}

function unknownBand(): DriveError {
  return new DriveError('band_unknown', 'No folder is connected to this band.');
}
