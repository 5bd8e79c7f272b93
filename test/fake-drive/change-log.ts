import { ApiError, invalidValue } from './api-error.js';
import type { StoredChange } from './store.js';

export interface LoggedChange {
  fileId: string;
  /** Its place in the log; rises. */
  number: number;
  audience: Set<string>;
  /** The shared drive it lies in, or lay in last; null for none. */
  driveId: string | null;
  /** Milliseconds since 1970. */
  at: number;
}

/**
 * The changes of one corpus, that of all users or that of one shared drive.
 *
 * As in Drive a file is in the list once, at its latest change: an older entry disappears when a newer one comes, and what
 * an entry tells of the file is its state at the time of the request. A page token is the number of the next change to
 * list, so that it never expires by itself.
 */
export class ChangeLog {
  private readonly changes = new Map<string, LoggedChange>();
  private oldest: number;
  private next: number;
  /** How many changes before its token the next list begins: those are told again. */
  repeats = 0;
  /** How far behind the end the `newStartPageToken` of the next list stays. */
  lags = 0;

  /** @param first the number of the first change; another one for each log, so that a token of another log is noticed */
  constructor(private readonly first: number) {
    this.oldest = first;
    this.next = first;
  }

  get startPageToken(): string {
    return String(this.next);
  }

  record({ fileId, audience, driveId }: StoredChange, at: number): void {
    const earlier = this.changes.get(fileId);
    // Taken out first: a Map keeps the place of what it has, and a changed file belongs at the end.
    this.changes.delete(fileId);
    this.changes.set(fileId, {
      fileId,
      number: this.next,
      audience: new Set([...(earlier?.audience ?? []), ...audience]),
      driveId,
      at,
    });
    this.next += 1;
  }

  /** Every token given until now is too old from here on. */
  expireTokens(): void {
    this.next += 1;
    this.oldest = this.next;
  }

  /**
   * The changes from the token on that `include` lets through, `pageSize` at most.
   * @throws ApiError 400 for what never was a token, 410 for one that is too old
   */
  page<T>(
    pageToken: string,
    pageSize: number,
    include: (change: LoggedChange) => T | undefined,
  ): { changes: T[]; nextPageToken: string } | { changes: T[]; newStartPageToken: string } {
    const from = this.position(pageToken) - this.repeats;
    this.repeats = 0;
    const changes: T[] = [];
    for (const change of this.changes.values()) {
      if (change.number < from) continue;
      const included = include(change);
      if (included === undefined) continue;
      if (changes.length === pageSize) return { changes, nextPageToken: String(change.number) };
      changes.push(included);
    }
    const newStartPageToken = String(Math.max(this.next - this.lags, this.first));
    this.lags = 0;
    return { changes, newStartPageToken };
  }

  /** @throws ApiError */
  check(pageToken: string): void {
    this.position(pageToken);
  }

  private position(pageToken: string): number {
    const position = /^\d{1,15}$/.test(pageToken) ? Number(pageToken) : NaN;
    if (!(position >= this.first && position <= this.next)) throw invalidValue('pageToken');
    if (position < this.oldest) {
      throw new ApiError(410, 'fullSyncRequired', 'The page token is no longer valid; a full sync is required.', {
        location: 'pageToken',
        locationType: 'parameter',
      });
    }
    return position;
  }
}
