import { isIgnoredName, isIgnoredPath } from '../ignored.js';
import type { KnownFile } from '../provider.js';
import { itemOfKnown, partOf, type FileItem, type Folder, type Item } from './item.js';

/** The folders below the band's, by id: parent and name. Kept in the cursor, since the change log knows files only. */
export type StoredFolders = Record<string, [parent: string, name: string]>;

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
  /** Folders of which not all that is in them was put: new ones, which may have been filled before they came here. */
  private readonly unlisted = new Set<string>();

  constructor(readonly rootId: string) {
    this.folders.set(rootId, { kind: 'folder', id: rootId, name: '', parent: null });
    this.unlisted.add(rootId);
  }

  /** As it was when this was stored. */
  static of(rootId: string, folders: StoredFolders, known: readonly KnownFile[]): Tree {
    const tree = new Tree(rootId);
    for (const [id, [parent, name]] of Object.entries(folders)) tree.folders.set(id, { kind: 'folder', id, name, parent });
    for (const file of known) if (file.sourceId) tree.files.set(file.sourceId, itemOfKnown(file));
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

  file(id: string): FileItem | undefined {
    return this.files.get(id);
  }

  hasFolder(id: string): boolean {
    return this.folders.has(id);
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
   * ending, so that all are there and which is which does not depend on who looks when.
   */
  paths(): Map<string, Placed> {
    const within = this.folderPaths();
    for (const id of this.folders.keys()) if (!within.has(id)) this.remove(id);
    const placed: [path: string, item: FileItem][] = [];
    for (const [id, item] of this.files) {
      const path = pathIn(within.get(item.parent), item);
      if (path === null) this.files.delete(id);
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
      const own = withId(path, item.id);
      if (!paths.has(own) && !isIgnoredPath(own)) paths.set(own, { item, hasNewerNamesake: true });
    }
    return paths;
  }

  storedFolders(): StoredFolders {
    const { rootId } = this;
    return Object.fromEntries(
      [...this.folders.values()].flatMap(({ id, parent, name }) => (id === rootId ? [] : [[id, [parent!, name]]])),
    );
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

  /** From the band's folder downwards, so that what leads in a circle or elsewhere is never met. */
  private folderPaths(): Map<string, string> {
    const below = new Map<string | null, Folder[]>();
    for (const folder of this.folders.values()) below.set(folder.parent, [...(below.get(folder.parent) ?? []), folder]);
    const paths = new Map([[this.rootId, '']]);
    for (const [id, path] of paths) {
      for (const folder of below.get(id) ?? []) {
        const own = pathIn(path, folder);
        if (own !== null) paths.set(folder.id, own);
      }
    }
    return paths;
  }
}

/** Null for what is none of the band's: outside of its folder, hidden, left by some program, too deep. */
function pathIn(folder: string | undefined, item: Item): string | null {
  if (folder === undefined) return null;
  const part = partOf(item);
  const path = folder === '' ? part : `${folder}/${part}`;
  return isIgnoredName(part) || isIgnoredPath(path) ? null : path;
}

function withId(path: string, id: string): string {
  const dot = path.lastIndexOf('.');
  const isEnding = dot > path.lastIndexOf('/') + 1;
  return isEnding ? `${path.slice(0, dot)} (${id})${path.slice(dot)}` : `${path} (${id})`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
