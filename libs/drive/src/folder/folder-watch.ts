import { join } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { isIgnoredPath } from '../ignored.js';
import type { Root } from './root.js';

/**
 * Watches a folder with all folders below it, without polling, and passes on hints: paths at which something may have
 * happened.
 *
 * Besides the watcher's own events its raw ones are taken: it holds back a second event of a path for some time, and forgets to watch
 * files that came back in the meantime, which is harmless to one who looks for himself but not to one who never hears of it.
 */
export class FolderWatch {
  private readonly watcher: FSWatcher;
  private readonly folders = new Set<string>();
  private isOpen = false;

  private constructor(
    private readonly root: Root,
    private readonly onHint: (path: string) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.watcher = watch(root.real, {
      followSymlinks: false,
      atomic: false,
      ignorePermissionErrors: true,
      ignored: (place) => isIgnoredPath(root.pathOf(place) ?? ''),
    });
  }

  /** Resolves when the whole folder is watched: whatever is listed from then on, no change of it is missed. */
  static async open(root: Root, onHint: (path: string) => void, onError: (error: unknown) => void): Promise<FolderWatch> {
    const folder = new FolderWatch(root, onHint, onError);
    await folder.begin();
    return folder;
  }

  async close(): Promise<void> {
    this.isOpen = false;
    await this.watcher.close();
  }

  private async begin(): Promise<void> {
    this.watcher.on('error', (error) => this.onError(error));
    this.watcher.on('raw', (_event, name, details) => {
      const { watchedPath } = details as { watchedPath?: string };
      if (watchedPath === undefined) return;
      this.hint(name && this.folders.has(watchedPath) ? join(watchedPath, name) : watchedPath);
      // The whole folder's own going is told with its own name, as that of a file in it would be.
      if (watchedPath === this.root.real && this.root.real.endsWith(`/${name}`)) this.hint(this.root.real);
    });
    this.watcher.on('all', (event, place) => {
      if (event === 'addDir') this.folders.add(place);
      if (event === 'unlinkDir') this.folders.delete(place);
      this.hint(place);
    });
    await new Promise<void>((resolve) => this.watcher.once('ready', resolve));
    this.isOpen = true;
  }

  private hint(place: string): void {
    if (!this.isOpen) return;
    const path = this.root.pathOf(place);
    if (path !== null && !isIgnoredPath(path)) this.onHint(path);
  }
}
