import type { FileUpdate } from '@soleil/sync-protocol';
import { ApiError, request } from '../session/api.js';
import { Observable } from '../session/observable.js';
import { isKept } from './file-words.js';
import { sha256 } from './sha256.js';

/** Without a place to keep files, memory holds some. */
const memoryBudgetBytes = 64 * 1024 * 1024;

/**
 * The files on this device, by the hash of their bytes, so that a song opens without a network, and without waiting. The
 * browser keeps them where it can (its cache storage needs https or localhost); elsewhere they live as long as the page.
 */
export class FileShelf {
  /** Hashes of the files that are here, each computed from the bytes when they came. */
  readonly held = new Observable<ReadonlySet<string>>(new Set());
  /** Whether `held` says what the browser has kept; until then nobody knows what is here. */
  readonly isOpen = new Observable(false);
  readonly #memory = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #cache: Promise<Cache | null>;
  readonly #name: string;
  /** Could not be had in this round. */
  readonly #skipped = new Set<string>();
  #memoryBytes = 0;
  #wanted: readonly FileUpdate[] = [];
  #isFetching = false;
  #isClosed = false;

  constructor(userId: string) {
    this.#name = `soleil-files-${userId}`;
    this.#cache = this.#open().finally(() => this.isOpen.set(true));
  }

  /** The address of a file's bytes, as the log last told of it. */
  static address({ fileId, revision }: Pick<FileUpdate, 'fileId' | 'revision'>): string {
    return `/files/${encodeURIComponent(fileId)}/content?revision=${revision}`;
  }

  /** The bytes of a file in the revision that is given. @throws ApiError, `revision_gone` when there is a newer one */
  async read(file: FileUpdate, options: { signal?: AbortSignal; priority?: RequestPriority } = {}): Promise<Uint8Array<ArrayBuffer>> {
    const kept = this.#memory.get(file.hash) ?? (await this.#fromCache(file.hash));
    if (kept) return kept;
    const response = await request(FileShelf.address(file), options);
    const bytes = await bytesOf(response, options.signal);
    if ((await sha256(bytes)) !== file.hash.toLowerCase()) throw brokenOff();
    await this.#keep(file.hash, bytes);
    return bytes;
  }

  /**
   * Fetches, one after another, the charts and parts that are not here yet, and lets go of what is no longer among
   * `files`. To be called while there is a connection, whenever the library has changed.
   */
  stock(files: readonly FileUpdate[]): void {
    this.#wanted = files.filter(isKept);
    this.#skipped.clear();
    void this.#fetchMissing();
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Removes everything from the device. */
  async clear(): Promise<void> {
    this.#memory.clear();
    if ('caches' in globalThis) await caches.delete(this.#name);
  }

  async #fetchMissing(): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    await this.#cache;
    for (let file = this.#nextMissing(); file !== undefined && !this.#isClosed; file = this.#nextMissing()) {
      const error = await this.read(file, { priority: 'low' }).then(
        () => null,
        (cause: unknown) => cause,
      );
      if (error === null) continue;
      if (isAboutAll(error)) break;
      this.#skipped.add(file.hash);
    }
    await this.#letGo();
    this.#isFetching = false;
  }

  #nextMissing(): FileUpdate | undefined {
    if (this.#memoryBytes > memoryBudgetBytes) return undefined;
    return this.#wanted.find(({ hash }) => !this.held.value.has(hash) && !this.#skipped.has(hash));
  }

  async #keep(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const cache = await this.#cache;
    try {
      if (cache === null) throw new Error('no cache storage');
      await cache.put(addressOf(hash), new Response(bytes));
    } catch {
      // A full disk, or none: memory has to do.
      if (!this.#memory.has(hash)) this.#memoryBytes += bytes.byteLength;
      this.#memory.set(hash, bytes);
    }
    this.held.set(new Set([...this.held.value, hash]));
  }

  async #fromCache(hash: string): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!this.held.value.has(hash)) return null;
    const response = await (await this.#cache)?.match(addressOf(hash));
    return response ? new Uint8Array(await response.arrayBuffer()) : null;
  }

  async #letGo(): Promise<void> {
    const wanted = new Set(this.#wanted.map(({ hash }) => hash));
    const old = [...this.held.value].filter((hash) => !wanted.has(hash));
    if (old.length === 0) return;
    const cache = await this.#cache;
    for (const hash of old) {
      await cache?.delete(addressOf(hash));
      this.#memoryBytes -= this.#memory.get(hash)?.byteLength ?? 0;
      this.#memory.delete(hash);
    }
    this.held.set(new Set([...this.held.value].filter((hash) => wanted.has(hash))));
  }

  async #open(): Promise<Cache | null> {
    if (!('caches' in globalThis)) return null;
    try {
      const cache = await caches.open(this.#name);
      const hashes = (await cache.keys()).map(({ url }) => new URL(url).pathname.split('/').at(-1)!);
      this.held.set(new Set(hashes));
      return cache;
    } catch {
      return null;
    }
  }
}

/** Not this file's fault: the others would fare no better now. */
const isAboutAll = (error: unknown): boolean => error instanceof ApiError && (error.isUnreachable || error.isSignedOut || error.status === 429);

const addressOf = (hash: string): string => `/shelf/${hash}`;

const brokenOff = (): ApiError =>
  new ApiError(0, { code: 'file_incomplete', message: 'The file did not arrive whole.', remedy: 'It is fetched again.', retryable: true });

async function bytesOf(response: Response, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw signal?.aborted ? cause : brokenOff();
  }
}
