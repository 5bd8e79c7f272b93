import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.js';
import type { Content } from './content.js';

export const folderType = 'application/vnd.google-apps.folder';
export const shortcutType = 'application/vnd.google-apps.shortcut';

export interface Revision {
  id: string;
  content: Content;
  mimeType: string;
  /** Milliseconds since 1970. */
  modifiedAt: number;
}

/** Whatever has an id: a file, a folder, a shortcut, a Google document, the root of a drive. */
export interface Item {
  id: string;
  /** Rises from item to item, in the order of their creation. */
  serial: number;
  name: string;
  mimeType: string;
  /** One at most, as in Drive since 2020; null at the root of a drive. */
  parent: string | null;
  /** By itself: what lies in a trashed folder is trashed as well. */
  trashed: boolean;
  /** Of binary content, the last one being the head; empty for folders, shortcuts and Google documents. */
  revisions: Revision[];
  /** What a Google document is exported to, by type. */
  exports: Map<string, Content>;
  shortcutTarget: string | null;
  /** Rises with every change, those of the metadata included. */
  version: number;
  createdAt: number;
  modifiedAt: number;
  canDownload: boolean;
  /** Who was given access here, and to all below. At the root of a drive: its owner or its members. */
  granted: Set<string>;
  /** Who was refused it again. */
  denied: Set<string>;
}

export interface StoredChange {
  fileId: string;
  /** Who sees the file now, or saw it before. */
  audience: Set<string>;
  /** The shared drives it lies in now, or lay in before. */
  driveIds: Set<string>;
  /** The one it lies in now, or lay in last; null for none. */
  driveId: string | null;
}

/** The files, and who sees them. Tells each change of them once it is made. */
export class Store {
  private readonly items = new Map<string, Item>();
  private readonly roots = new Map<string, string>();
  private readonly drives = new Map<string, string>();
  private readonly users = new Set<string>();
  private serial = 0;

  /**
   * Whether a change of a folder that is one of all below it as well (trashed, moved, deleted, access lost) is told for each
   * of those. Google promises neither. By default it is not, which is harder: the follower has to know what lay there.
   */
  tellsDescendants = false;

  constructor(
    private readonly clock: Clock,
    private readonly told: (changes: StoredChange[]) => void,
  ) {}

  addUser(email: string): void {
    if (this.users.has(email)) return;
    this.users.add(email);
    const root = this.newItem({ name: 'My Drive', mimeType: folderType, parent: null });
    root.granted.add(email);
    this.items.set(root.id, root);
    this.roots.set(email, root.id);
  }

  addDrive(name: string, members: string[]): string {
    const root = this.newItem({ name: 'Drive', mimeType: folderType, parent: null });
    // The root folder of a shared drive has the id of the drive.
    root.id = `0A${newId().slice(1, 14)}9PVA`;
    for (const member of members) root.granted.add(member);
    this.items.set(root.id, root);
    this.drives.set(root.id, name);
    return root.id;
  }

  rootOf(email: string): string {
    const root = this.roots.get(email);
    if (root === undefined) throw new Error(`No user ${email}; make one with account()`);
    return root;
  }

  /** Undefined for whatever is no shared drive. */
  driveName(driveId: string): string | undefined {
    return this.drives.get(driveId);
  }

  create(item: Pick<Item, 'name' | 'mimeType' | 'parent'> & Partial<Item>): Item {
    this.get(item.parent!);
    const created = this.newItem(item);
    this.items.set(created.id, created);
    this.told([this.sight(created)]);
    return created;
  }

  /** Edits one item, and tells it. */
  edit(id: string, change: (item: Item) => void): Item {
    const item = this.get(id);
    const affected = [item, ...(this.tellsDescendants ? this.below(id) : [])];
    const before = affected.map((one) => this.sight(one));
    change(item);
    for (const one of affected) one.version += 1;
    this.told(affected.map((one, i) => union(before[i]!, this.sight(one))));
    return item;
  }

  /** Deletes an item and all below it, for good. */
  delete(id: string): void {
    const item = this.get(id);
    const below = this.below(id);
    const seen = [item, ...(this.tellsDescendants ? below : [])].map((one) => this.sight(one));
    for (const one of [item, ...below]) this.items.delete(one.id);
    this.drives.delete(id);
    this.told(seen);
  }

  find(id: string): Item | undefined {
    return this.items.get(id);
  }

  /** @throws Error when the test names an item that is not there */
  get(id: string): Item {
    const item = this.items.get(id);
    if (!item) throw new Error(`The fake has no item ${id}`);
    return item;
  }

  all(): Iterable<Item> {
    return this.items.values();
  }

  /** The item itself, then its folder, and so on up to the root. */
  *upwards(item: Item): Iterable<Item> {
    for (let at: Item | undefined = item; at; at = at.parent === null ? undefined : this.items.get(at.parent)) yield at;
  }

  isTrashed(item: Item): boolean {
    return [...this.upwards(item)].some(({ trashed }) => trashed);
  }

  /** The shared drive it lies in; null in somebody's My Drive. */
  driveOf(item: Item): string | null {
    const { id } = [...this.upwards(item)].at(-1)!;
    return this.drives.has(id) ? id : null;
  }

  sees(email: string, item: Item): boolean {
    for (const { denied, granted } of this.upwards(item)) {
      if (denied.has(email)) return false;
      if (granted.has(email)) return true;
    }
    return false;
  }

  isInMyDrive(email: string, item: Item): boolean {
    return [...this.upwards(item)].at(-1)!.id === this.roots.get(email);
  }

  private below(id: string): Item[] {
    const children = [...this.items.values()].filter(({ parent }) => parent === id);
    return children.flatMap((child) => [child, ...this.below(child.id)]);
  }

  private sight(item: Item): StoredChange {
    const drive = this.driveOf(item);
    return {
      fileId: item.id,
      audience: new Set([...this.users].filter((email) => this.sees(email, item))),
      driveIds: new Set(drive === null ? [] : [drive]),
      driveId: drive,
    };
  }

  private newItem(item: Pick<Item, 'name' | 'mimeType' | 'parent'> & Partial<Item>): Item {
    const now = this.clock.now();
    return {
      id: newId(),
      serial: (this.serial += 1),
      trashed: false,
      revisions: [],
      exports: new Map(),
      shortcutTarget: null,
      version: 1,
      createdAt: now,
      modifiedAt: now,
      canDownload: true,
      granted: new Set(),
      denied: new Set(),
      ...item,
    };
  }
}

/** As long as Drive's: 33 characters. */
export function newId(): string {
  return `1${randomBytes(24).toString('base64url')}`;
}

function union(before: StoredChange, after: StoredChange): StoredChange {
  return {
    fileId: before.fileId,
    audience: new Set([...before.audience, ...after.audience]),
    driveIds: new Set([...before.driveIds, ...after.driveIds]),
    driveId: after.driveId,
  };
}
