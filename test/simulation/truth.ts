import type { Membership } from '@soleil/bus';
import { isControl, rightEnded, type Control } from '../../libs/sync/src/log/control-message.js';
import type { CommittedRow } from './database.js';
import type { Entry } from './model.js';

/** A message as its publisher meant it. */
export interface Published {
  /** Unique in the run; travels as the message's type. */
  n: number;
  channel: string;
  key: string | null;
  gone: boolean;
}

/** What Auth stores in the transaction that changes a right; here, in a channel that nobody follows. */
export interface RightRow {
  channel: `user:${string}`;
  type: typeof rightType;
  data: { userId: string; bandId: string; has: boolean };
}

const rightType = 'right';

export const rightRow = (userId: string, bandId: string, has: boolean): RightRow => ({
  channel: `user:${userId}`,
  type: rightType,
  data: { userId, bandId, has },
});

/** The changes of rights among the rows of a transaction. */
export const rightsIn = (rows: readonly CommittedRow[]): RightRow['data'][] =>
  rows.flatMap(({ type, data }) => (type === rightType ? [data as RightRow['data']] : []));

export const membershipOf = (bandId: string): Membership => ({ bandId, role: 'member', instrument: 'piano' });

interface Commit {
  rows: CommittedRow[];
}

export const typeOf = (n: number): string => `m${n}`;

/**
 * What is true in the database, in the order in which it became so: who may what, which sessions are open, and which
 * transactions have committed. It is set back with the database.
 */
export class Truth {
  private readonly rights = new Map<string, Set<string>>();
  private readonly sessions = new Map<string, string>();
  private commits: Commit[] = [];

  /** From the beginning of the world. */
  grant(userId: string, bandId: string): void {
    this.rights.set(userId, (this.rights.get(userId) ?? new Set()).add(bandId));
  }

  bandsOf(userId: string): string[] {
    return [...(this.rights.get(userId) ?? [])];
  }

  mayFollow(userId: string, channel: string): boolean {
    return !channel.startsWith('band:') || this.bandsOf(userId).includes(channel.slice('band:'.length));
  }

  openSession(sessionId: string, userId: string): void {
    this.sessions.set(sessionId, userId);
  }

  /** Undefined when it has ended. */
  userOf(sessionId: string): string | undefined {
    return this.sessions.get(sessionId);
  }

  committed(rows: readonly CommittedRow[]): void {
    this.commits.push({ rows: rows.map(({ channel, type, key, data }) => ({ channel, type, key, data })) });
    for (const { userId, bandId, has } of rightsIn(rows)) {
      if (has) this.grant(userId, bandId);
      else this.rights.get(userId)?.delete(bandId);
    }
    for (const row of rows) this.obey(row as CommittedRow & Control);
  }

  timesCommitted(channel: string, type: string, data: unknown): number {
    const rows = this.commits.flatMap((commit) => commit.rows).filter((row) => row.channel === channel && row.type === type);
    return rows.filter((row) => JSON.stringify(row.data) === JSON.stringify(data)).length;
  }

  backup(): () => void {
    const { commits } = this;
    const kept = commits.length;
    const rights = [...this.rights].map(([userId, bands]) => [userId, [...bands]] as const);
    const sessions = [...this.sessions];
    return () => {
      this.commits = commits.slice(0, kept);
      this.rights.clear();
      for (const [userId, bands] of rights) this.rights.set(userId, new Set(bands));
      this.sessions.clear();
      for (const [sessionId, userId] of sessions) this.sessions.set(sessionId, userId);
    };
  }

  /**
   * The channel has each committed message once and no other; those of a transaction and those of a key are in the order of
   * calls and commits, and the place where a right changes comes before all that committed after it.
   */
  check(channel: string, log: readonly Entry[]): void {
    this.checkRights(channel);
    const due = this.commits.flatMap(({ rows }, nth) =>
      rows.filter((row) => row.channel === channel).map((row, place) => ({ row, nth, place })),
    );
    const name = (type: string, data: unknown): string => (isControl({ type }) ? type + JSON.stringify(data) : type);
    const places = new Map<string, number[]>();
    for (const { message } of log) {
      const own = name(message.type, message.data);
      places.set(own, [...(places.get(own) ?? []), message.offset]);
    }
    const placed = due.map(({ row, ...commit }) => {
      const offset = places.get(name(row.type, row.data))?.shift();
      if (offset === undefined) throw new Error(`${channel} lost ${name(row.type, row.data)}`);
      return { row, ...commit, offset };
    });
    if (placed.length !== log.length) throw new Error(`${channel} has ${log.length} messages of ${placed.length}`);
    for (const later of placed) {
      for (const earlier of placed) {
        if (earlier.nth > later.nth || earlier.offset < later.offset || earlier === later) continue;
        const isOneCall = earlier.nth === later.nth && earlier.place < later.place;
        const isOneKey = earlier.nth < later.nth && earlier.row.key !== null && earlier.row.key === later.row.key;
        const isEnd = earlier.nth < later.nth && isControl(earlier.row) && !isControl(later.row);
        if (isOneCall || isOneKey || isEnd)
          throw new Error(
            `${channel} has ${later.row.type} at ${later.offset} before ${earlier.row.type} at ${earlier.offset}`,
          );
      }
    }
  }

  /** Every change of a right has its place in the channel. */
  private checkRights(channel: string): void {
    for (const { rows } of this.commits) {
      for (const { userId, bandId } of rightsIn(rows)) {
        if (`band:${bandId}` !== channel || rows.some((row) => row.channel === channel && row.type === rightEnded)) continue;
        throw new Error(`${channel} does not say where the right of ${userId} changed`);
      }
    }
  }

  private obey({ type, data }: CommittedRow & Control): void {
    if (type === 'sync.session_ended') this.sessions.delete(data.sessionId);
  }
}
