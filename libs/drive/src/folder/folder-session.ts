import { Logger } from '@nestjs/common';
import type { ChangeLog } from '../change-log.js';
import type { DriveError } from '../drive-error.js';
import type { DriveOptions } from '../options.js';
import { Stop } from '../pause.js';
import { compareFolder } from './compare-folder.js';
import { FolderWatch } from './folder-watch.js';
import type { Root } from './root.js';
import { Settler } from './settler.js';

/** A folder from when it was found until it is missing: what watches it, and what settles the hints. */
export class FolderSession {
  private readonly logger = new Logger('Drive');
  private readonly ending = new Stop();
  private readonly settler: Settler;
  private watch: FolderWatch | null = null;
  private comparing: Promise<number> = Promise.resolve(0);
  private waiting: Promise<number> | null = null;
  /** Why it ended by itself. */
  missing: DriveError | null = null;

  constructor(
    readonly root: Root,
    private readonly changeLog: ChangeLog,
    private readonly options: DriveOptions,
  ) {
    this.settler = new Settler(root, changeLog, options, (error) => this.end(error));
  }

  /** Watches first and compares later, so nothing that happens in between is missed. */
  async open(): Promise<void> {
    this.watch = await FolderWatch.open(
      this.root,
      (path) => void this.settler.notice(path),
      (error) =>
        this.logger.warn(`Not all of ${this.root.asked} can be watched; it is compared now and then: ${String(error)}`),
    );
  }

  async close(): Promise<void> {
    this.ending.now();
    await this.watch?.close();
    await this.settler.stop();
    await this.comparing.catch(() => 0);
  }

  /** Resolves after `ms`, or as soon as this session has ended. */
  async pause(ms: number): Promise<void> {
    await this.ending.pause(ms);
  }

  get ended(): boolean {
    return this.ending.stopped;
  }

  end(missing: DriveError | null): void {
    this.missing ??= missing;
    this.ending.now();
  }

  notice(path: string): void {
    void this.settler.notice(path);
  }

  /** One comparison at a time. Who asks while one runs gets the answer of the next, which sees what they did. */
  rescan(): Promise<number> {
    this.waiting ??= this.comparing = this.comparing
      .catch(() => 0)
      .then(() => {
        this.waiting = null;
        return this.compare();
      });
    return this.waiting;
  }

  private async compare(): Promise<number> {
    try {
      await this.root.ensureUnchanged();
      const paths = await compareFolder(this.root, '', this.changeLog);
      const changes = await Promise.all(paths.map((path) => this.settler.notice(path)));
      if (this.missing) throw this.missing;
      if (!this.ended) await this.remember();
      return changes.reduce((sum, count) => sum + count, 0);
    } catch (error) {
      if ((error as DriveError).code === 'folder_missing') this.end(error as DriveError);
      throw error;
    }
  }

  /** Which folder was compared, so that an empty one at its place is not believed after the next start. */
  private async remember(): Promise<void> {
    const cursor = await this.changeLog.cursor();
    if (cursor?.['rootIdentity'] !== this.root.identity)
      await this.changeLog.commit([], { rootIdentity: this.root.identity });
    await this.changeLog.prune(this.options.changeRetentionDays);
  }
}
