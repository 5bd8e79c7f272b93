import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import type { ChangeLog } from '../change-log.js';
import { DriveError } from '../drive-error.js';
import type { DriveOptions } from '../options.js';
import { Gate, Stop } from '../pause.js';
import type { ByteRange, DriveSource, KnownFile, SourceState, SourceStatus } from '../provider.js';
import { listFolder } from './compare-folder.js';
import { FolderSession } from './folder-session.js';
import { hashFile } from './hash-file.js';
import { lookAt, sameFingerprint } from './look.js';
import { missing, Root } from './root.js';
import { VerifiedBytes } from './verified-bytes.js';
import { gone, openInside, type OpenedFile } from './verified-file.js';

/**
 * A band's folder on this machine.
 *
 *     starting ──▶ scanning ──▶ watching
 *        │            ▲  │         │
 *        ▼            │  ▼         ▼
 *      folder_missing, looked for until it is back
 */
export class FolderSource implements DriveSource {
  private readonly logger = new Logger('Drive');
  private readonly stopping = new Stop();
  private state: SourceState = 'starting';
  private error: SourceStatus['error'] = null;
  private lastScanAt: string | null = null;
  private session: FolderSession | null = null;
  private running: Promise<void> = Promise.resolve();
  private retry = new Stop();
  /** Resolves when the attempt to find the folder that is under way has succeeded or failed. */
  private attempt = new Gate();

  constructor(
    private readonly asked: string,
    private readonly changeLog: ChangeLog,
    private readonly options: DriveOptions,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.now();
    this.retry.now();
    this.session?.end(null);
    await this.running;
    this.attempt.open();
    this.state = 'stopped';
  }

  status(): SourceStatus {
    return { state: this.state, lastScanAt: this.lastScanAt, error: this.error };
  }

  async rescan(): Promise<number> {
    if (!this.session) {
      this.retry.now();
      await this.attempt.opened;
    }
    const { session } = this;
    if (!session) throw new DriveError('folder_missing', this.error?.message ?? 'The folder is not connected.');
    try {
      const changes = await session.rescan();
      this.lastScanAt = new Date().toISOString();
      return changes;
    } catch (error) {
      // The status says so before whoever asked is told, though the session takes a while to close.
      if (session.missing) this.explain(session.missing);
      throw error;
    }
  }

  async open(file: KnownFile, range: ByteRange): Promise<Readable> {
    const root = this.session?.root ?? (await Root.find(this.asked));
    const { handle, fingerprint } = (await openKnown(root, file)) ?? (await this.openAfterLook(root, file));
    try {
      // Touched is not changed: the bytes decide, though asking them costs a reading.
      const isSame = sameFingerprint(fingerprint, file.fingerprint) || (await hashFile(handle, fingerprint)) === file.hash;
      if (!isSame) throw this.changed(file);
      return new VerifiedBytes(handle, range, fingerprint);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private async openAfterLook(root: Root, file: KnownFile): Promise<OpenedFile> {
    const look = await lookAt(root, file.path, this.options.maxFileBytes);
    if (look.found === 'problem') throw new DriveError(look.problem.code, look.problem.reason);
    if (look.found !== 'file') throw this.changed(file);
    return openInside(root, look.place);
  }

  private changed(file: KnownFile): DriveError {
    this.session?.notice(file.path);
    return gone();
  }

  private async run(): Promise<void> {
    while (!this.stopping.stopped) {
      try {
        await this.live();
      } catch (error) {
        this.explain(error);
      }
      this.attempt.open();
      if (this.stopping.stopped) return;
      this.retry = new Stop();
      this.attempt = new Gate();
      await this.retry.pause(this.options.folderRetryMs);
    }
  }

  /** From finding the folder until it is missing. */
  private async live(): Promise<void> {
    const root = await Root.find(this.asked);
    await this.ensureNotEmptied(root);
    const session = new FolderSession(root, this.changeLog, this.options);
    try {
      await session.open();
      if (this.stopping.stopped) return;
      this.session = session;
      this.error = null;
      this.attempt.open();
      await this.watchOver(session);
    } finally {
      this.session = null;
      await session.close();
    }
    if (session.missing) throw session.missing;
  }

  private async watchOver(session: FolderSession): Promise<void> {
    while (!session.ended) {
      this.state = 'scanning';
      try {
        await this.rescan();
        this.error = null;
        this.state = 'watching';
      } catch (error) {
        if (session.ended) return;
        this.explain(error);
        await session.pause(this.options.folderRetryMs);
        continue;
      }
      await session.pause(this.options.rescanIntervalMs);
    }
  }

  /**
   * A mount point without its mount is an empty folder, and another one than was there before. To take it for the band's
   * folder would remove every file of the band.
   */
  private async ensureNotEmptied(root: Root): Promise<void> {
    const identity = (await this.changeLog.cursor())?.['rootIdentity'];
    if (identity === undefined || identity === root.identity || (await this.changeLog.countPresent()) === 0) return;
    if ((await listFolder(root, '')).size === 0)
      throw missing('An empty folder is at its place; perhaps its disk is not mounted.');
  }

  private explain(error: unknown): void {
    if (error instanceof DriveError && error.code === 'folder_missing') {
      if (this.state !== 'folder_missing') this.logger.warn(`${this.asked}: ${error.message} Nothing is taken for removed.`);
      this.state = 'folder_missing';
      this.error = { code: error.code, message: error.message };
    } else {
      this.logger.error(`${this.asked} could not be compared: ${error instanceof Error ? error.message : String(error)}`);
      this.error = {
        code: 'scan_failed',
        message: 'The folder could not be compared with what is known; it is tried again.',
      };
    }
  }
}

/** Nearly always a file is where it was, and as it was. Null otherwise: what there is instead, a look can say. */
async function openKnown(root: Root, file: KnownFile): Promise<OpenedFile | null> {
  if (file.linkTarget !== null) return null;
  const opened = await openInside(root, root.place(file.path)).catch(() => null);
  if (!opened || sameFingerprint(opened.fingerprint, file.fingerprint)) return opened;
  await opened.handle.close();
  return null;
}
