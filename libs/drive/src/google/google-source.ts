import { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { DriveError } from '../drive-error.js';
import { Stop } from '../pause.js';
import type { ByteRange, DriveSource, KnownFile, SourceState, SourceStatus } from '../provider.js';
import type { Channels } from './channels.js';
import { download } from './download.js';
import type { Exports } from './exports.js';
import type { Follower } from './follower.js';
import { stopped, type GoogleApi } from './google-api.js';
import { waitMs } from './pacing.js';

/** After a subscription could not be made or ended; meanwhile changes are found by asking. */
const channelRetryMs = 300_000;
/**
 * Who wants a file while the folder is away may ask again after two polls, and after this at the latest: with the folder, the
 * file comes back as it was, and is no news.
 */
const longestAwayMs = 10_000;

export interface SourceParts {
  api: GoogleApi;
  exports: Exports;
  follower: Follower;
  /** Null where Google cannot reach us. */
  channels: Channels | null;
  stopping: Stop;
  pollIntervalMs: number;
}

/**
 * A band's folder in Google Drive.
 *
 *     starting ──▶ scanning ──▶ watching: a round now and then, at once when Google tells or somebody asks
 *        │            │  ▲        │
 *        ▼            ▼  │        ▼
 *      folder_missing, access_lost: tried again with growing pauses, and as soon as a file can be read; then everything is listed
 *
 * While Google is merely out of reach it stays what it was, and the status has the error.
 */
export class GoogleSource implements DriveSource {
  private readonly logger = new Logger('Drive');
  private state: SourceState = 'starting';
  private error: SourceStatus['error'] = null;
  private lastScanAt: string | null = null;
  private running: Promise<void> = Promise.resolve();
  private current: Promise<number> = Promise.resolve(0);
  private waiting: Promise<number> | null = null;
  private rest = new Stop();
  private channelTryAt = 0;

  constructor(
    private readonly bandId: string,
    private readonly parts: SourceParts,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.parts.stopping.now(stopped());
    this.rest.now();
    await this.running;
    await this.current.catch(() => 0);
    this.state = 'stopped';
  }

  async disconnect(): Promise<void> {
    // The source has stopped, and its API with it: this is a last word.
    await this.parts.channels?.endAll().catch((error: unknown) => this.warn('A subscription could not be ended', error));
  }

  status(): SourceStatus {
    return { state: this.state, lastScanAt: this.lastScanAt, error: this.error };
  }

  nudge(): void {
    // What the last round failed of is waited out: the next one looks anyway.
    if (!this.error) this.rest.now();
  }

  /** One round at a time. Who asks while one runs gets the answer of the next, which sees what they did. */
  rescan(): Promise<number> {
    this.waiting ??= this.current = this.current
      .catch(() => 0)
      .then(() => {
        this.waiting = null;
        return this.round();
      });
    return this.waiting;
  }

  async open(file: KnownFile, range: ByteRange): Promise<Readable> {
    const { api, exports, stopping } = this.parts;
    if (file.size === 0) return Readable.from([]);
    const kept = await exports.read(file.hash, range);
    if (kept) return Readable.from([kept], { objectMode: false });
    const id = (file.linkTarget === null ? file.sourceId : file.fingerprint['targetId']) ?? '';
    await this.requireSame(id, file);
    const isWhole = range.start === 0 && range.end === file.size - 1;
    return download(
      api,
      id,
      range,
      // Of a part there is no checksum; that the file is still the same says that all of it was.
      isWhole ? (sha256) => this.requireHash(id, sha256, file) : () => this.requireSame(id, file),
      stopping.signal,
    );
  }

  private async run(): Promise<void> {
    const { stopping, pollIntervalMs } = this.parts;
    for (let failures = 0; !stopping.stopped;) {
      this.rest = new Stop();
      const failure = await this.rescan().then(
        () => null,
        (error: unknown) => error,
      );
      failures = failure ? failures + 1 : 0;
      if (!failure) await this.keepChannel();
      if (stopping.stopped) return;
      const retryAfterMs = failure instanceof DriveError ? failure.retryAfterMs : undefined;
      await this.rest.pause(failure ? (retryAfterMs ?? waitMs(failures)) : pollIntervalMs);
    }
  }

  private async round(): Promise<number> {
    const { follower, stopping } = this.parts;
    if (stopping.stopped) throw stopped();
    if (this.state === 'starting') this.state = 'scanning';
    try {
      const changes = await follower.round();
      this.lastScanAt = new Date().toISOString();
      this.state = 'watching';
      if (this.error) this.rest.now();
      this.error = null;
      return changes;
    } catch (error) {
      if (stopping.stopped) throw stopped();
      await this.explain(error);
      throw error;
    }
  }

  private async keepChannel(): Promise<void> {
    const { channels, follower } = this.parts;
    if (!channels || Date.now() < this.channelTryAt) return;
    const tried = async (what: string, step: Promise<void>): Promise<void> =>
      step.catch((error: unknown) => {
        this.channelTryAt = Date.now() + channelRetryMs;
        this.warn(what, error);
      });
    await tried(
      'No notifications for now, changes are found by asking',
      channels.keep(() => follower.pageToken()),
    );
    await tried('A subscription could not be ended', channels.endSuperseded());
  }

  /** @throws DriveError `revision_gone`, `folder_missing` */
  private async requireSame(id: string, file: KnownFile): Promise<void> {
    if (!(await this.isSame(id, file))) {
      await this.requireFolder();
      // It may have come back in between, and the file with it.
      if (!(await this.isSame(id, file))) throw this.gone(id);
    }
    // Who gets a file gets in again, and need not wait out what kept them out.
    if (this.state === 'folder_missing' || this.state === 'access_lost') this.rest.now();
  }

  /** @throws DriveError `revision_gone`, `folder_missing` */
  private async requireHash(id: string, sha256: string, file: KnownFile): Promise<void> {
    if (sha256 === file.hash) return;
    await this.requireFolder();
    throw this.gone(id);
  }

  private async isSame(id: string, file: KnownFile): Promise<boolean> {
    const now = await this.parts.api.file(id);
    if (!now || now.trashed) return false;
    const { sha256, md5, version } = file.fingerprint;
    if (now.sha256Checksum != null) return now.sha256Checksum === file.hash;
    return sha256 === '' && (now.md5Checksum ?? '') === md5 && (now.headRevisionId ?? '') === version;
  }

  /** A file is not as it is known: what is there instead is looked for, whether Drive tells of it or not. */
  private gone(id: string): DriveError {
    this.parts.follower.doubt(id);
    this.nudge();
    return new DriveError('revision_gone', 'The file has changed since; these bytes are not there any more.');
  }

  /** @throws DriveError `folder_missing` */
  private async requireFolder(): Promise<void> {
    this.nudge();
    const { follower, pollIntervalMs } = this.parts;
    const retryAfterMs = Math.min(2 * pollIntervalMs, longestAwayMs);
    await follower.requireThere().catch((error: unknown) => {
      if (!(error instanceof DriveError) || error.code !== 'folder_missing') throw error;
      throw new DriveError(error.code, error.message, { retryAfterMs, cause: error });
    });
  }

  private async explain(error: unknown): Promise<void> {
    const code = error instanceof DriveError ? error.code : 'scan_failed';
    const lost = code === 'folder_missing' || code === 'access_denied' || code === 'credential_revoked';
    if (lost && this.error?.code !== code) await this.parts.follower.distrust();
    if (this.error?.code !== code) this.warn(lost ? 'Nothing is taken for removed' : 'It is tried again', error);
    if (lost) this.state = code === 'folder_missing' ? 'folder_missing' : 'access_lost';
    else if (this.state === 'scanning') this.state = 'starting';
    this.error =
      error instanceof DriveError
        ? { code, message: error.message, remedy: error.remedy }
        : { code, message: 'The folder could not be compared with what is known; it is tried again.' };
  }

  private warn(what: string, error: unknown): void {
    this.logger.warn(`Band ${this.bandId}: ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
