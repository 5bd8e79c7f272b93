import { drive, type drive_v3 } from '@googleapis/drive';
import type { DriveNotification } from '@soleil/bus';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { DriveError } from '../drive-error.js';
import { Stop } from '../pause.js';
import type { DriveProvider, DriveSource, NotificationHeaders, SourceConnection } from '../provider.js';
import { Channels } from './channels.js';
import { userOf, type GoogleUser } from './credentials.js';
import { Exports } from './exports.js';
import { Follower } from './follower.js';
import { GoogleApi } from './google-api.js';
import { GoogleSource } from './google-source.js';
import { readNotification } from './notification.js';
import { googleDriveOptions, type GoogleDriveOptions } from './options.js';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const settingsSchema = z.strictObject({ folderId: id, driveId: id.optional() });

/**
 * Folders of Google Drive, of a person's or of a shared drive. A band's settings are `{ folderId, driveId? }`: the id that
 * ends the folder's address, and for a folder of a shared drive the id of that drive.
 *
 *     DriveModule.forRoot({ providers: [new GoogleDriveProvider({ credentials: { serviceAccount: 'key.json' } })] })
 */
export class GoogleDriveProvider implements DriveProvider {
  readonly name: string;
  private readonly options: GoogleDriveOptions;
  private readonly user: GoogleUser;
  private readonly drive: drive_v3.Drive;

  /** @throws DriveError `options_invalid` */
  constructor(given: Pick<GoogleDriveOptions, 'credentials'> & Partial<GoogleDriveOptions>) {
    this.options = googleDriveOptions(given);
    const { credentials, name, rootUrl, tokenUrl } = this.options;
    this.name = name;
    this.user = userOf(credentials, tokenUrl ?? undefined);
    // The library would by itself try one request four times, and not heed what Google says about when.
    this.drive = drive({ version: 'v3', auth: this.user.client, retry: false, ...(rootUrl ? { rootUrl } : {}) });
  }

  checkSettings(settings: unknown): { folderId: string; driveId?: string } {
    const parsed = settingsSchema.safeParse(settings);
    if (parsed.success) return parsed.data;
    throw new DriveError(
      'settings_invalid',
      'A folder of Google Drive is { folderId, driveId? }, of the ids in its address.',
    );
  }

  connect({ bandId, settings, changeLog, dataSource, options }: SourceConnection): DriveSource {
    const { folderId, driveId } = this.checkSettings(settings);
    const { quota, webhookUrl, channelMs, pollIntervalMs, relistIntervalMs } = this.options;
    const stopping = new Stop();
    const userQuota = quota.of(this.user.name);
    const apiUntil = (stop: Stop): GoogleApi => new GoogleApi(this.drive, this.user, userQuota, bandId, driveId, stop);
    const api = apiUntil(stopping);
    const exports = new Exports(dataSource, bandId);
    const { maxFileBytes, concurrentHashes, changeRetentionDays } = options;
    const following = { relistIntervalMs, maxFileBytes, concurrentHashes, changeRetentionDays };
    return new GoogleSource(bandId, {
      api,
      exports,
      follower: new Follower(api, folderId, changeLog, exports, following, stopping.signal),
      // They outlive the source: the last of them is ended when it has stopped.
      channels: webhookUrl ? new Channels(dataSource, bandId, apiUntil(new Stop()), webhookUrl, channelMs) : null,
      stopping,
      pollIntervalMs,
    });
  }

  readNotification(headers: NotificationHeaders, dataSource: DataSource): Promise<DriveNotification | null> {
    return readNotification(headers, dataSource, this.name);
  }
}
