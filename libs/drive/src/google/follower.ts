import type { drive_v3 } from '@googleapis/drive';
import { z } from 'zod';
import type { ChangeLog } from '../change-log.js';
import { DriveError } from '../drive-error.js';
import type { KnownFile } from '../provider.js';
import { Contents } from './contents.js';
import type { Exports } from './exports.js';
import type { ChangedItem, ChangePage, GoogleApi } from './google-api.js';
import { itemOf, type Item } from './item.js';
import { Sightings } from './sightings.js';
import { Tree } from './tree.js';

const cursorSchema = z.object({
  pageToken: z.string(),
  /** The id of the band's folder: in the settings it may be an alias. */
  rootId: z.string(),
  folders: z.record(z.string(), z.tuple([z.string(), z.string()])),
  unplaced: z.record(z.string(), z.record(z.string(), z.string())).default({}),
  /** When all was last listed; null where it should be soon. */
  listedAt: z.iso.datetime().nullable(),
});

/** How far the change list was read, and what the folders were like then. */
export type Cursor = z.infer<typeof cursorSchema>;

export interface FollowerOptions {
  /** How often everything is listed, below what the change list tells. */
  relistIntervalMs: number;
  maxFileBytes: number;
  concurrentHashes: number;
  changeRetentionDays: number;
}

/**
 * Reads a band's folder in rounds. Each starts from what is committed and ends with a commit of changes and cursor
 * together, so a round that fails, or whose process dies, has not been; two processes that read the same list do no harm.
 *
 *     cursor ──changes.list──▶ tree brought up to it ──new folders listed──▶ what differs ──▶ committed with the new cursor
 *     none, or none that Drive can go on from ──▶ a new token, then everything listed, then the changes since that token
 */
export class Follower {
  private hasCompared = false;
  private readonly doubted = new Set<string>();

  constructor(
    private readonly api: GoogleApi,
    private readonly folderId: string,
    private readonly changeLog: ChangeLog,
    private readonly exports: Exports,
    private readonly options: FollowerOptions,
    private readonly stopping: AbortSignal,
  ) {}

  /** @returns how many changes were committed */
  async round(): Promise<number> {
    const stored = await this.changeLog.cursor();
    const cursor = cursorSchema.safeParse(stored).data;
    const isDue = !cursor?.listedAt || Date.now() - Date.parse(cursor.listedAt) >= this.options.relistIntervalMs;
    const doubted = [...this.doubted];
    const news = cursor && !isDue ? await this.read(cursor.pageToken) : null;
    const changes = cursor && news ? await this.follow(stored, cursor, news) : await this.list(stored, cursor);
    for (const id of doubted) this.doubted.delete(id);
    this.hasCompared = true;
    return changes;
  }

  /** Everything is listed in the next round, since the change list may not have told all. */
  async distrust(): Promise<void> {
    const stored = await this.changeLog.cursor();
    if (stored) await this.changeLog.commit([], { ...stored, listedAt: null }, stored);
  }

  /**
   * A file that is not as it is known. It is asked for by its id in the next round, since Drive may have told an older state of it after
   * the newest, and need not tell that again.
   */
  doubt(id: string): void {
    this.doubted.add(id);
  }

  /** @throws DriveError `folder_missing` */
  async requireThere(): Promise<void> {
    await this.requireFolder(this.folderId);
  }

  /** The token from which a subscription is to tell. */
  async pageToken(): Promise<string> {
    return cursorSchema.parse(await this.changeLog.cursor()).pageToken;
  }

  /** @throws DriveError `folder_missing` */
  private async follow(stored: Stored, cursor: Cursor, news: News): Promise<number> {
    const isNothing = news.changes.length === 0 && this.hasCompared;
    if (isNothing && news.pageToken === cursor.pageToken) return 0;
    if (isNothing) return this.advance(stored, { ...cursor, pageToken: news.pageToken });
    // It may have gone to another drive, of which this change list does not tell.
    if (news.changes.some(({ id }) => id === cursor.rootId)) this.requireDrive(await this.requireFolder(cursor.rootId));
    const known = await this.changeLog.presentUnder('');
    const tree = Tree.of(cursor.rootId, cursor, known);
    this.apply(tree, news.changes);
    await this.fill(tree, news.changes);
    return this.commit(stored, { ...cursor, pageToken: news.pageToken }, tree, known, news.changes);
  }

  /** @throws DriveError `folder_missing`, `settings_invalid` */
  private async list(stored: Stored, cursor: Cursor | undefined): Promise<number> {
    const pageToken = await this.api.startPageToken();
    if (pageToken === null) throw folderMissing();
    const root = await this.requireFolder(this.folderId);
    this.requireDrive(root);
    const rootId = root.id!;
    const known = await this.changeLog.presentUnder('');
    const tree = new Tree(rootId);
    await this.fill(tree);
    // A listing takes a while and is not of one moment: what moved meanwhile is in the change list.
    const news = await this.read(pageToken);
    if (!news) throw new DriveError('drive_unreachable', 'Google Drive does not go on from its own page token.');
    this.apply(tree, news.changes);
    if (cursor) await this.lookFor(tree, cursor, known);
    await this.fill(tree, news.changes);
    const listed = { pageToken: news.pageToken, rootId, folders: {}, unplaced: {}, listedAt: new Date().toISOString() };
    const changes = await this.commit(stored, listed, tree, known, news.changes, () => true);
    await this.exports.prune();
    await this.changeLog.prune(this.options.changeRetentionDays);
    return changes;
  }

  private async commit(
    stored: Stored,
    cursor: Cursor,
    tree: Tree,
    known: readonly KnownFile[],
    heard: readonly ChangedItem[],
    mayDiffer?: () => boolean,
  ): Promise<number> {
    const { api, options } = this;
    const touched = new Set(heard.map(({ id }) => id));
    const contents = new Contents(api, this.exports, options, mayDiffer ?? ((id) => touched.has(id)), this.stopping);
    const seen = new Sightings(tree, known, touched, contents, api);
    const sightings = await seen.all();
    // Nothing is believed to be gone unless the folder is there.
    if (sightings.some(({ seen }) => seen === 'gone')) await this.requireFolder(cursor.rootId);
    const { folders, unplaced } = tree.stored(seen.unread);
    if (!contents.failure) return (await this.changeLog.commit(sightings, { ...cursor, folders, unplaced }, stored)).length;
    // What could be read is told now. Since the page token stays, the next round hears of the rest again.
    const next = stored ? { ...stored, unplaced: { ...cursor.unplaced, ...unplaced } } : undefined;
    await this.changeLog.commit(sightings, next, stored);
    throw contents.failure;
  }

  private async advance(stored: Stored, cursor: Cursor): Promise<number> {
    return (await this.changeLog.commit([], cursor, stored)).length;
  }

  private apply(tree: Tree, changes: readonly ChangedItem[]): void {
    for (const { id, item } of changes) {
      if (id === tree.rootId && !item) throw folderMissing();
      if (item) tree.put(item);
      else tree.remove(id);
    }
  }

  /** Until there is no folder of which the contents are not known. What was heard of holds: a listing may lag behind. */
  private async fill(tree: Tree, heard: readonly ChangedItem[] = []): Promise<void> {
    const isHeard = new Set(heard.map(({ id }) => id));
    for (let ids = tree.takeUnlisted(); ids.length > 0; ids = tree.takeUnlisted())
      for await (const item of this.api.inside(ids)) if (!isHeard.has(item.id)) tree.put(item);
  }

  /** A listing may lag behind: what it left out is asked for by its id before it is taken for gone. */
  private async lookFor(tree: Tree, { folders, unplaced }: Cursor, known: readonly KnownFile[]): Promise<void> {
    const files = known.flatMap(({ sourceId }) => sourceId ?? []);
    const missed = [...files, ...Object.keys(unplaced), ...Object.keys(folders)].filter((id) => !tree.has(id));
    await Promise.all(
      [...new Set(missed)].map(async (id) => {
        const item = await this.itemNow(id);
        if (item) tree.put(item);
      }),
    );
  }

  /** With what is there now of that which is doubted. @returns null when Drive cannot go on from this token */
  private async read(pageToken: string): Promise<News | null> {
    const changes = new Map<string, ChangedItem>();
    const readFrom = new Set<string>();
    for (let next: string | null = pageToken; ;) {
      // A list that leads back to a page of before has no end.
      const page: ChangePage | null = readFrom.has(next) ? null : await this.api.changes(next);
      if (!page) return null;
      readFrom.add(next);
      for (const change of page.changes) changes.set(change.id, change);
      next = page.next;
      if (next !== null) continue;
      for (const id of this.doubted) changes.set(id, { id, item: await this.itemNow(id) });
      return { changes: [...changes.values()], pageToken: page.newStart ?? pageToken };
    }
  }

  private async itemNow(id: string): Promise<Item | null> {
    const file = await this.api.file(id);
    return file && itemOf(file);
  }

  /** @throws DriveError `folder_missing` */
  private async requireFolder(id: string): Promise<drive_v3.Schema$File> {
    const file = await this.api.file(id);
    if (!file || file.trashed || itemOf(file)?.kind !== 'folder') throw folderMissing();
    return file;
  }

  /**
   * Of a shared drive only its own change list and listing are complete.
   * @throws DriveError `settings_invalid`
   */
  private requireDrive({ id, driveId }: drive_v3.Schema$File): void {
    const given = this.api.driveId;
    if ((driveId ?? undefined) === given || id === given) return;
    throw new DriveError(
      'settings_invalid',
      driveId
        ? `The band's folder lies in a shared drive: connect it with the driveId "${driveId}".`
        : "The band's folder lies in no shared drive: connect it without a driveId.",
    );
  }
}

type Stored = Record<string, unknown> | null;

interface News {
  changes: ChangedItem[];
  /** Where to go on from. */
  pageToken: string;
}

function folderMissing(): DriveError {
  return new DriveError('folder_missing', "The band's folder is not there, or not shared with the platform's account.");
}
