import type { drive_v3 } from '@googleapis/drive';
import { DriveError } from '../drive-error.js';
import type { Stop } from '../pause.js';
import type { ByteRange } from '../provider.js';
import { renewAccessToken, type GoogleUser } from './credentials.js';
import { failureOf, isQuotaFailure, type Failure } from './google-failure.js';
import { itemFields, itemOf, type Item } from './item.js';
import { Backoff } from './pacing.js';
import type { UserQuota } from './quota.js';
import { units, type RequestKind } from './units.js';

export interface ChangedItem {
  id: string;
  /** Null: deleted, trashed, out of our sight, or no file of a band. */
  item: Item | null;
}

export interface ChangePage {
  changes: ChangedItem[];
  next: string | null;
  /** Of the last page only. */
  newStart: string | null;
}

export interface Channel {
  id: string;
  token: string;
  address: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** A request is tried so often before its failure is told; who asked tries again later. */
const attempts = 3;
/** Whoever would have to wait for longer is told so instead. */
const longestPatienceMs = 5_000;
/** As many as Drive gives at once. */
const pageSize = 1_000;
/** A query may not be longer than an address. */
const foldersPerQuery = 40;

/** What the provider asks of the Drive API for one band: within the quota, and tried again where Google says so. */
export class GoogleApi {
  private readonly backoff = new Backoff();

  constructor(
    private readonly drive: drive_v3.Drive,
    private readonly user: GoogleUser,
    private readonly quota: UserQuota,
    private readonly bandId: string,
    /** The shared drive whose change list and files are asked for; of a person's when undefined. */
    readonly driveId: string | undefined,
    private readonly stopping: Stop,
  ) {}

  /** @returns null when the shared drive is not there, or not for us */
  async startPageToken(): Promise<string | null> {
    const { driveId } = this;
    const answer = await this.ask(
      'read',
      (options) => this.drive.changes.getStartPageToken({ driveId, supportsAllDrives: true }, options),
      isMissing,
    );
    return answer && answer.data.startPageToken!;
  }

  /** @returns null when this token is none that Drive can go on from */
  async changes(pageToken: string): Promise<ChangePage | null> {
    const { driveId } = this;
    const answer = await this.ask(
      'list',
      (options) =>
        this.drive.changes.list(
          {
            pageToken,
            driveId,
            pageSize,
            supportsAllDrives: true,
            includeItemsFromAllDrives: true,
            includeCorpusRemovals: true,
            includeRemoved: true,
            fields: `nextPageToken,newStartPageToken,changes(fileId,removed,file(${itemFields}))`,
          },
          options,
        ),
      ({ status }) => status === 400 || status === 404 || status === 410,
    );
    if (!answer) return null;
    const { changes = [], nextPageToken, newStartPageToken } = answer.data;
    return {
      // What has no file is a change of a shared drive itself.
      changes: changes.flatMap(({ fileId, removed, file }) =>
        fileId ? [{ id: fileId, item: removed || !file ? null : itemOf(file) }] : [],
      ),
      next: nextPageToken ?? null,
      newStart: newStartPageToken ?? null,
    };
  }

  /** @returns null when it is not there, or not for us; what is trashed is returned as such */
  async file(fileId: string): Promise<drive_v3.Schema$File | null> {
    const answer = await this.ask(
      'read',
      (options) => this.drive.files.get({ fileId, supportsAllDrives: true, fields: `${itemFields},driveId` }, options),
      isMissing,
    );
    return answer && answer.data;
  }

  /**
   * What lies in these folders. One that is not there any more has nothing in it.
   * @throws DriveError `drive_unreachable` when the listing has no end
   */
  async *inside(folderIds: readonly string[]): AsyncIterable<Item> {
    for (let begin = 0; begin < folderIds.length; begin += foldersPerQuery)
      yield* this.insideSome(folderIds.slice(begin, begin + foldersPerQuery));
  }

  /**
   * The bytes `range` of what the file holds now, and where they begin: at 0 where Drive took no notice of the range, null where it does
   * not say which part this is.
   */
  async download(
    fileId: string,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<{ body: AsyncIterable<Uint8Array>; start: number | null }> {
    const headers = { Range: `bytes=${range.start}-${range.end}` };
    const answer = await this.ask(
      'download',
      (options) =>
        this.drive.files.get(
          { fileId, alt: 'media', supportsAllDrives: true },
          { ...options, headers, responseType: 'stream', signal },
        ),
      undefined,
      signal,
    );
    const start = answer.status === 206 ? startOf(answer.headers['content-range']) : 0;
    return { body: answer.data as unknown as AsyncIterable<Uint8Array>, start };
  }

  /**
   * A document of Google's as a PDF.
   * @returns null when it is larger than Google exports (10 MB)
   */
  async export(fileId: string): Promise<Buffer | null> {
    const answer = await this.ask(
      'download',
      (options) =>
        this.drive.files.export({ fileId, mimeType: 'application/pdf' }, { ...options, responseType: 'arraybuffer' }),
      ({ reason }) => reason === 'exportSizeLimitExceeded',
    );
    return answer && Buffer.from(answer.data as ArrayBuffer);
  }

  /** @returns what Google calls the subscription, and until when it holds */
  async watch(pageToken: string, channel: Channel): Promise<{ resourceId: string; expiresAt: number }> {
    const { driveId } = this;
    const { id, token, address, expiresAt } = channel;
    const answer = await this.ask('other', (options) =>
      this.drive.changes.watch(
        {
          pageToken,
          driveId,
          supportsAllDrives: true,
          includeItemsFromAllDrives: true,
          includeCorpusRemovals: true,
          requestBody: { id, token, address, type: 'web_hook', expiration: String(expiresAt) },
        },
        options,
      ),
    );
    const { resourceId, expiration } = answer.data;
    return { resourceId: resourceId!, expiresAt: Number(expiration ?? expiresAt) };
  }

  /** Ends a subscription. One that is not there any more is no failure. */
  async stopChannel(id: string, resourceId: string): Promise<void> {
    await this.ask('other', (options) => this.drive.channels.stop({ requestBody: { id, resourceId } }, options), isMissing);
  }

  private async *insideSome(folderIds: readonly string[]): AsyncIterable<Item> {
    const { driveId } = this;
    const q = `(${folderIds.map((id) => `'${id}' in parents`).join(' or ')}) and trashed = false`;
    const readFrom = new Set<string | undefined>();
    let pageToken: string | undefined;
    do {
      // A listing that leads back to a page of before has no end.
      if (readFrom.has(pageToken)) throw new DriveError('drive_unreachable', 'Google Drive lists a folder in circles.');
      readFrom.add(pageToken);
      const answer = await this.ask(
        'list',
        (options) =>
          this.drive.files.list(
            {
              q,
              pageToken,
              driveId,
              pageSize,
              corpora: driveId ? 'drive' : 'user',
              supportsAllDrives: true,
              includeItemsFromAllDrives: true,
              fields: `nextPageToken,files(${itemFields})`,
            },
            options,
          ),
        isMissing,
      );
      if (!answer) {
        // Drive does not say which of them: asked by halves, the others still answer.
        if (folderIds.length === 1) return;
        const half = Math.ceil(folderIds.length / 2);
        yield* this.insideSome(folderIds.slice(0, half));
        yield* this.insideSome(folderIds.slice(half));
        return;
      }
      for (const file of answer.data.files ?? []) {
        const item = itemOf(file);
        if (item) yield item;
      }
      pageToken = answer.data.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
  }

  private ask<T>(kind: RequestKind, send: Send<T>): Promise<T>;
  private ask<T>(kind: RequestKind, send: Send<T>, isNull: undefined, signal: AbortSignal): Promise<T>;
  private ask<T>(kind: RequestKind, send: Send<T>, isNull: (failure: Failure) => boolean): Promise<T | null>;
  private async ask<T>(
    kind: RequestKind,
    send: Send<T>,
    isNull?: (failure: Failure) => boolean,
    signal: AbortSignal = this.stopping.signal,
  ): Promise<T | null> {
    let isTokenNew = false;
    for (let failures = 0; ;) {
      const grant = await this.quota.take(this.bandId, units[kind], signal);
      try {
        const answer = await send({ signal });
        this.backoff.succeeded();
        return answer;
      } catch (thrown) {
        signal.throwIfAborted();
        const failure = failureOf(thrown);
        const { error } = failure;
        if (isQuotaFailure(failure)) this.quota.refused(grant, error.retryAfterMs);
        else if (isNull?.(failure)) return null;
        if (failure.status === 401 && error.code === 'credential_revoked' && !isTokenNew) {
          isTokenNew = true;
          renewAccessToken(this.user.client);
          continue;
        }
        // Somebody has to give another credential: who asked loses nothing by asking again until then.
        const isForPeople = error.code === 'credential_revoked';
        if (!isForPeople && error.code !== 'drive_busy' && error.code !== 'drive_unreachable') throw error;
        const retryAfterMs = this.backoff.failed(grant, error.retryAfterMs);
        failures += 1;
        if (isForPeople || failures >= attempts || retryAfterMs > longestPatienceMs)
          throw new DriveError(error.code, error.message, { retryAfterMs, cause: thrown });
        await this.stopping.pause(retryAfterMs);
      }
    }
  }
}

type Send<T> = (options: { signal: AbortSignal }) => Promise<T>;

/** Of `bytes 100-199/1000`. */
function startOf(contentRange: string | undefined): number | null {
  const [, start] = /^bytes (\d{1,15})-\d+\//.exec(contentRange ?? '') ?? [];
  return start === undefined ? null : Number(start);
}

function isMissing({ status }: Failure): boolean {
  return status === 404;
}

/** What a source that is stopped fails with. */
export function stopped(): DriveError {
  return new DriveError('folder_missing', 'The folder is not connected any more.');
}
