import type { Row, SyncClient } from '@soleil/sync-client';
import { fileKey, type FileUpdate } from '@soleil/sync-protocol';
import { Observable } from '../session/observable.js';
import { recall, remember } from '../session/remembered.js';
import { digest, sentences, type NewsItem } from './digest.js';

/** A file that its user has not opened since it came or changed. */
export interface Mark {
  kind: 'new' | 'changed';
  /** When it was published, in milliseconds. */
  at: number;
}

export interface Announcement {
  id: number;
  text: string;
  /** What it is about; null for many at once. */
  fileId: string | null;
  /** Whether that is still there. */
  isThere: boolean;
}

type Marks = Readonly<Record<string, Mark>>;

/** Long enough for a folder that is dragged into the drive to be told as one thing, short enough to feel immediate. */
const gatherMs = 300;
const mostAnnouncements = 4;
const prefix = fileKey('');

/**
 * What is new to this user. Changes are compared with what the library held before, not taken from the log one by one: a
 * file that moves between two channels is one file.
 */
export class News {
  /** By file; kept over visits, until the file is opened. */
  readonly marks: Observable<Marks>;
  readonly announcements = new Observable<readonly Announcement[]>([]);
  readonly #key: string;
  readonly #known = new Map<string, FileUpdate>();
  readonly #touched = new Set<string>();
  readonly #watched = new Map<string, () => void>();
  readonly #stops: (() => void)[] = [];
  /** On display: their pages say themselves what happens to them. */
  readonly #reading = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastId = 0;

  constructor(
    userId: string,
    private readonly client: SyncClient,
  ) {
    this.#key = `soleil.marks.${userId}`;
    this.marks = new Observable(recall<Marks>(this.#key) ?? {});
    const otherTab = ({ key }: StorageEvent): void => {
      if (key === this.#key) this.marks.set(recall<Marks>(this.#key) ?? {});
    };
    addEventListener('storage', otherTab);
    const stopMessages = client.onMessage((_channel, { key }, { initial }) => {
      if (initial || !key?.startsWith(prefix)) return;
      this.#touched.add(key.slice(prefix.length));
      this.#timer ??= setTimeout(() => this.#tell(), gatherMs);
    });
    this.#stops.push(stopMessages, () => removeEventListener('storage', otherTab));
  }

  /** The channels in which the user's files are. */
  watch(channels: readonly string[]): void {
    for (const [channel, stop] of this.#watched) {
      if (channels.includes(channel)) continue;
      stop();
      this.#watched.delete(channel);
    }
    for (const channel of channels) {
      if (this.#watched.has(channel)) continue;
      this.#watched.set(channel, this.client.subscribe(channel, () => this.#learn(channel)));
      this.#learn(channel);
    }
  }

  /** The user sees the file's present content. */
  opened(fileId: string): void {
    if (!(fileId in this.marks.value)) return;
    const { [fileId]: _seen, ...others } = this.marks.value;
    this.#setMarks(others);
  }

  /** A file is on display, until the returned function is called: nothing is announced about it meanwhile. */
  reading(fileId: string): () => void {
    this.#reading.add(fileId);
    return () => this.#reading.delete(fileId);
  }

  dismiss(id: number): void {
    this.announcements.set(this.announcements.value.filter((announcement) => announcement.id !== id));
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const stop of [...this.#stops, ...this.#watched.values()]) stop();
  }

  /** Forgets what was marked, also for later visits. */
  clear(): void {
    remember(this.#key, null);
  }

  /** Remembers what is there, apart from what news is about to be told of. */
  #learn(channel: string): void {
    for (const { type, data } of this.client.channel(channel).rows.values()) {
      const file = data as FileUpdate;
      if (type === 'file_update' && !this.#touched.has(file.fileId)) this.#known.set(file.fileId, file);
    }
  }

  #tell(): void {
    this.#timer = undefined;
    const rows = new Map([...this.#touched].map((fileId) => [fileId, this.#row(fileId)]));
    const after = new Map([...rows].flatMap(([fileId, row]) => (row ? [[fileId, row.data] as const] : [])));
    const items = digest(this.#known, after, this.#touched);
    for (const fileId of this.#touched) {
      const file = after.get(fileId);
      if (file === undefined) this.#known.delete(fileId);
      else this.#known.set(fileId, file);
    }
    this.#touched.clear();
    if (items.length === 0) return;
    const marks = { ...this.marks.value };
    for (const { kind, file } of items) {
      if (kind === 'removed') delete marks[file.fileId];
      else {
        const isNew = kind === 'new' || marks[file.fileId]?.kind === 'new';
        marks[file.fileId] = { kind: isNew ? 'new' : 'changed', at: Date.parse(rows.get(file.fileId)!.at) };
      }
    }
    this.#setMarks(marks);
    this.#announce(items.filter(({ file }) => !this.#reading.has(file.fileId)));
  }

  /** What is said about a file takes the place of what was said about it before. */
  #announce(items: readonly NewsItem[]): void {
    const said = sentences(items).map(({ text, item }): Announcement => {
      this.#lastId += 1;
      return { id: this.#lastId, text, fileId: item?.file.fileId ?? null, isThere: item !== null && item.kind !== 'removed' };
    });
    const others = this.announcements.value.filter(({ fileId }) => fileId === null || !items.some(({ file }) => file.fileId === fileId));
    this.announcements.set([...others, ...said].slice(-mostAnnouncements));
  }

  /** The file's present row; of several channels' the one published last. */
  #row(fileId: string): Row<FileUpdate> | null {
    let latest: Row | null = null;
    for (const channel of this.#watched.keys()) {
      const row = this.client.channel(channel).rows.get(fileKey(fileId));
      if (row !== undefined && (latest === null || row.at > latest.at)) latest = row;
    }
    return latest as Row<FileUpdate> | null;
  }

  #setMarks(marks: Marks): void {
    this.marks.set(marks);
    remember(this.#key, marks);
  }
}
