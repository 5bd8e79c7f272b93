import { isIgnoredName, longestPathBytes } from '../ignored.js';
import type { Fingerprint, KnownFile } from '../provider.js';
import { fingerprintOf, itemFrom, partOf, type FileItem, type Folder, type Item } from './item.js';

/** What is kept of a tree in the cursor, since the change log knows only the files that have a path. */
export interface StoredTree {
  /** Those below the band's, by id. */
  folders: Record<string, [parent: string, name: string]>;
  /** The files in them that have no path just now, by id. */
  unplaced: Record<string, Fingerprint>;
}

/** A file at its path. */
export interface Placed {
  item: FileItem;
  /** The path would be another's too, and that one was changed later. */
  hasNewerNamesake: boolean;
}

/**
 * What lies below the band's folder, by ids, as Drive tells it; and from that the paths. Changes may be put in any order, and
 * again: where a thing lies is decided when the paths are asked for.
 */
export class Tree {
  private readonly folders = new Map<string, Folder>();
  private readonly files = new Map<string, FileItem>();
  /** Files within reach that had no path when the paths were asked for. */
  private unplaced: FileItem[] = [];
  /** Folders of which not all that is in them was put: new ones, which may have been filled before they came here. */
  private readonly unlisted = new Set<string>();

  constructor(readonly rootId: string) {
    this.folders.set(rootId, { kind: 'folder', id: rootId, name: '', parent: null });
    this.unlisted.add(rootId);
  }

  /** As it was when this was stored. @param known the files that had a path */
  static of(
    rootId: string,
    { folders, unplaced }: StoredTree,
    known: readonly Pick<KnownFile, 'sourceId' | 'fingerprint'>[],
  ): Tree {
    const tree = new Tree(rootId);
    for (const [id, [parent, name]] of Object.entries(folders)) tree.folders.set(id, { kind: 'folder', id, name, parent });
    for (const [id, fingerprint] of Object.entries(unplaced)) tree.files.set(id, itemFrom(id, fingerprint));
    for (const { sourceId, fingerprint } of known) if (sourceId) tree.files.set(sourceId, itemFrom(sourceId, fingerprint));
    tree.unlisted.clear();
    return tree;
  }

  put(item: Item): void {
    if (item.id === this.rootId) return;
    if (item.kind !== 'folder') {
      this.files.set(item.id, item);
      return;
    }
    if (!this.folders.has(item.id)) this.unlisted.add(item.id);
    this.folders.set(item.id, item);
  }

  remove(id: string): void {
    if (id === this.rootId) return;
    this.files.delete(id);
    this.folders.delete(id);
    this.unlisted.delete(id);
  }

  has(id: string): boolean {
    return this.files.has(id) || this.folders.has(id);
  }

  /** The folders, within reach of the band's, whose contents are to be listed and put; they count as listed from now on. */
  takeUnlisted(): string[] {
    const within = this.folderPaths();
    const ids = [...this.unlisted].filter((id) => within.has(id));
    for (const id of ids) this.unlisted.delete(id);
    return ids;
  }

  /**
   * Forgets what is out of reach, and returns the files by path. Of several with one path the one that was changed last has
   * it, since names say what a file is for: what is played from must have the name. Each other one has its id before the
   * ending, twice where a file is called that already, so that all are there and which is which does not depend on who looks
   * when. A shortcut to a folder within reach has none: what is in there is listed at its own place.
   */
  paths(): Map<string, Placed> {
    const within = this.folderPaths();
    for (const id of this.folders.keys()) if (!within.has(id)) this.remove(id);
    const placed: [path: string, item: FileItem][] = [];
    this.unplaced = [];
    for (const [id, item] of this.files) {
      const folder = within.get(item.parent);
      if (folder === undefined || isIgnoredName(partOf(item))) {
        this.files.delete(id);
        continue;
      }
      const path = within.has(item.targetId) ? null : pathIn(folder, item);
      if (path === null) this.unplaced.push(item);
      else placed.push([path, item]);
    }
    placed.sort(
      ([path, item], [otherPath, other]) =>
        compare(path, otherPath) || compare(this.changedAt(other), this.changedAt(item)) || compare(other.id, item.id),
    );
    const paths = new Map<string, Placed>();
    const older: typeof placed = [];
    for (const [path, item] of placed) {
      if (paths.has(path)) older.push([path, item]);
      else paths.set(path, { item, hasNewerNamesake: false });
    }
    for (const [path, item] of older) {
      let own = withId(path, item.id);
      while (paths.has(own)) own = withId(own, item.id);
      paths.set(own, { item, hasNewerNamesake: true });
    }
    return paths;
  }

  /** As of when the paths were asked for. @param unknown files with a path that the change log does not get to know */
  stored(unknown: readonly FileItem[] = []): StoredTree {
    const { rootId, folders, unplaced } = this;
    const below = [...folders.values()].filter(({ id }) => id !== rootId);
    return {
      folders: Object.fromEntries(below.map(({ id, parent, name }) => [id, [parent!, name]])),
      unplaced: Object.fromEntries([...unplaced, ...unknown].map((item) => [item.id, fingerprintOf(item)])),
    };
  }

  /**
   * What was uploaded is as new as its arrival, however old it was where it came from. A shortcut is as new as the file it leads
   * to; one that leads to none is older than anything, so that it takes no file's place.
   */
  private changedAt(item: FileItem): string {
    const source = item.kind === 'shortcut' ? this.files.get(item.targetId) : item;
    if (!source || source.kind === 'shortcut') return '';
    return source.createdAt > source.modifiedAt ? source.createdAt : source.modifiedAt;
  }

  /** From the band's folder downwards, so that what leads in a circle or elsewhere is never met. Null: too deep for a path. */
  private folderPaths(): Map<string, string | null> {
    const below = new Map<string | null, Folder[]>();
    for (const folder of this.folders.values()) {
      const siblings = below.get(folder.parent);
      if (siblings) siblings.push(folder);
      else below.set(folder.parent, [folder]);
    }
    const paths = new Map<string, string | null>([[this.rootId, '']]);
    for (const [id, path] of paths)
      for (const folder of below.get(id) ?? [])
        // Hidden, or left by some program: with all in it none of the band's.
        if (!isIgnoredName(partOf(folder))) paths.set(folder.id, pathIn(path, folder));
    return paths;
  }
}

/** Null where it is too long to be one. */
function pathIn(folder: string | null, item: Item): string | null {
  if (folder === null) return null;
  const path = folder === '' ? partOf(item) : `${folder}/${partOf(item)}`;
  return Buffer.byteLength(path) > longestPathBytes ? null : path;
}

function withId(path: string, id: string): string {
  const dot = path.lastIndexOf('.');
  const isEnding = dot > path.lastIndexOf('/') + 1;
  return isEnding ? `${path.slice(0, dot)} (${id})${path.slice(dot)}` : `${path} (${id})`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
