import { createHash } from 'node:crypto';
import { DriveError } from '../drive-error.js';
import { problemOf } from '../file-problem.js';
import { Limiter } from '../limiter.js';
import type { FileProblem, KnownFile } from '../provider.js';
import { download } from './download.js';
import type { Exports } from './exports.js';
import type { GoogleApi } from './google-api.js';
import type { FileItem } from './item.js';

/** What a file holds, or why that cannot be had. */
export interface Content {
  size: number;
  /** SHA-256, hex. */
  hash: string;
  problem: FileProblem | null;
}

/** Finds out in one round what files hold: as Google says it, as it is known already, or by reading. */
export class Contents {
  /** Why some could not be asked for just now. */
  failure: DriveError | null = null;
  private readonly found = new Map<string, Promise<Content | null>>();
  private readonly reading: Limiter;

  constructor(
    private readonly api: GoogleApi,
    private readonly exports: Exports,
    private readonly options: { maxFileBytes: number; concurrentHashes: number },
    /** Whether something may be different about this file, though its version is the same: who may read it, for instance. */
    private readonly mayDiffer: (id: string) => boolean,
    private readonly stopping: AbortSignal,
  ) {
    this.reading = new Limiter(options.concurrentHashes);
  }

  /** What is larger is not served; kept with what was too large. */
  get limit(): string {
    return String(this.options.maxFileBytes);
  }

  /**
   * @param known the file as it was last seen, if it was
   * @returns null when it changed or went away under our hands, of which Drive will tell, or when there is a {@link failure}
   */
  of(item: FileItem, known: KnownFile | undefined): Promise<Content | null> {
    let found = this.found.get(item.id);
    if (!found) this.found.set(item.id, (found = this.find(item, known)));
    return found;
  }

  private async find(item: FileItem, known: KnownFile | undefined): Promise<Content | null> {
    if (!item.canDownload) return withProblem('not_readable');
    if (item.size > this.options.maxFileBytes) return withProblem('file_too_large');
    if (item.sha256 !== '') return { size: item.size, hash: item.sha256, problem: null };
    if (known && this.holds(item, known)) return { size: known.size, hash: known.hash, problem: known.problem };
    return this.reading.run(() => (item.kind === 'document' ? this.export(item) : this.read(item)));
  }

  /**
   * Whether what was found of this version is so still. To find it out costs a download: what cannot be read is asked for again where
   * something was heard of it, and what was too large where more is served by now.
   */
  private holds(item: FileItem, { fingerprint, problem }: KnownFile): boolean {
    const { version, md5, size, limit } = fingerprint;
    if (version !== item.version || md5 !== item.md5 || size !== String(item.size)) return false;
    if (problem?.code === 'file_too_large') return limit === this.limit;
    return problem === null || !this.mayDiffer(item.id);
  }

  private async export(item: FileItem): Promise<Content | null> {
    try {
      const bytes = await this.api.export(item.id);
      if (!bytes || bytes.length > this.options.maxFileBytes) return withProblem('file_too_large');
      return { size: bytes.length, hash: await this.exports.keep(bytes), problem: null };
    } catch (error) {
      return this.explained(error);
    }
  }

  /** For files of before Google knew their SHA-256. */
  private async read(item: FileItem): Promise<Content | null> {
    const md5 = createHash('md5');
    let hash = createHash('sha256').digest('hex');
    if (item.size > 0) {
      const verify = (sha256: string): void => void (hash = sha256);
      try {
        const stream = download(this.api, item.id, { start: 0, end: item.size - 1 }, verify, this.stopping);
        for await (const piece of stream) md5.update(piece as Buffer);
      } catch (error) {
        return this.explained(error);
      }
    }
    const isThat = item.md5 === '' || item.size === 0 || md5.digest('hex') === item.md5;
    return isThat ? { size: item.size, hash, problem: null } : null;
  }

  private explained(error: unknown): Content | null {
    if (!(error instanceof DriveError)) throw error;
    if (error.code === 'access_denied') return withProblem('not_readable');
    if (error.code === 'revision_gone') return null;
    if (error.code !== 'drive_unreachable' && error.code !== 'drive_busy') throw error;
    this.failure = error;
    return null;
  }
}

function withProblem(code: 'not_readable' | 'file_too_large'): Content {
  return { size: 0, hash: '', problem: problemOf(code) };
}
