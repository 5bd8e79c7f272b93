import { Injectable } from '@nestjs/common';
import {
  CodedError,
  OnFact,
  OnQuestion,
  type Answer,
  type Ask,
  type DriveChange,
  type DriveFile,
  type Facts,
  type Membership,
} from '@soleil/bus';

/** A file of the small band: where it belongs and what it says. */
export interface SmallFile {
  fileId: string;
  bandId: string;
  path: string;
  audience: string | null;
  text: string;
  revision: number;
  removed?: boolean;
  hasNewerNamesake?: boolean;
}

interface Delay {
  of: string | null;
  wait: () => Promise<void>;
}

/** The questions whose answer a test may hold back, and the facts of which it may hear for long. */
type Delayable = 'token' | 'memberships' | 'bands' | 'file' | 'rescan' | 'parse' | 'forget' | 'started' | 'failed';

/**
 * Stands in for Auth, Drive and Content where a test is about Sync alone: a token is the user's id, files live in a map.
 * What it tells and answers is what the bus asks of the real ones.
 */
@Injectable()
export class SmallBand {
  readonly memberships = new Map<string, Membership[]>();
  readonly files = new Map<string, SmallFile>();
  readonly told: { name: string; fact: unknown }[] = [];
  /** Thrown by the next question about a file, then forgotten; null for nothing. */
  failNext: unknown = null;
  /** Files that were asked about, in this order. */
  readonly asked: string[] = [];
  /** By band: thrown by every question about a file of it. */
  readonly refusing = new Map<string, Error>();
  /** The next question about a file is never answered. */
  silentNext = false;
  /** Sessions that are over: their token is refused. */
  readonly endedSessions = new Set<string>();
  /** Bands that are connected to a drive. Only these are looked over without being asked for. */
  readonly connected = new Set<string>();
  /** Thrown by the next question for the bands, then forgotten. */
  unready: Error | null = null;
  /** Files that Content was asked about, each time. */
  readonly parsed: string[] = [];
  /** What the next look at a folder comes upon. */
  readonly found: DriveChange[] = [];
  private readonly delays = new Map<Delayable, Delay>();
  /** Files as Drive told of them, by file and revision: what Content reads is just that revision. */
  private readonly revisions = new Map<string, SmallFile>();

  join(userId: string, bandId: string, instrument: string, role: Membership['role'] = 'member'): void {
    this.memberships.set(userId, [...(this.memberships.get(userId) ?? []), { bandId, instrument, role }]);
  }

  /**
   * What the next such question is about is read at once, and answered when told to.
   * @param of instead of the next one, each question about this user until then
   * @returns `asked` resolves when it has read the first
   */
  delay(question: Delayable, { of = null }: { of?: string | null } = {}): { asked: Promise<void>; answer: () => void } {
    let read = (): void => undefined;
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => (read = resolve));
    const answered = new Promise<void>((resolve) => (answer = resolve));
    this.delays.set(question, { of, wait: () => (read(), answered) });
    return { asked, answer };
  }

  private async delayed(question: Delayable, about: string): Promise<void> {
    const delay = this.delays.get(question);
    if (!delay || (delay.of !== null && delay.of !== about)) return;
    if (delay.of === null) this.delays.delete(question);
    await delay.wait();
  }

  @OnQuestion('auth.token_presented')
  async token({ token }: Ask<'auth.token_presented'>): Promise<Answer<'auth.token_presented'>> {
    if (!this.memberships.has(token)) {
      throw new CodedError({
        code: 'token_invalid',
        message: 'That token is not ours.',
        remedy: 'Sign in again.',
        status: 401,
      });
    }
    const sessionId = `session-of-${token}`;
    if (this.endedSessions.has(sessionId)) {
      throw new CodedError({ code: 'session_ended', message: 'Signed out.', remedy: 'Sign in again.', status: 401 });
    }
    await this.delayed('token', token);
    return {
      userId: token,
      sessionId,
      displayName: token,
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    };
  }

  @OnQuestion('auth.memberships_requested')
  async membershipsOf({ userId }: Ask<'auth.memberships_requested'>): Promise<Answer<'auth.memberships_requested'>> {
    const memberships = this.memberships.get(userId) ?? [];
    await this.delayed('memberships', userId);
    return { memberships };
  }

  @OnQuestion('auth.members_requested')
  members({ bandId }: Ask<'auth.members_requested'>): Answer<'auth.members_requested'> {
    return {
      members: [...this.memberships].flatMap(([userId, memberships]) =>
        memberships
          .filter((membership) => membership.bandId === bandId)
          .map(({ instrument, role }) => ({ userId, name: userId, instrument, role })),
      ),
    };
  }

  @OnQuestion('content.audiences_requested')
  audiences({ instrument, role }: Ask<'content.audiences_requested'>): Answer<'content.audiences_requested'> {
    return { audiences: role === 'leader' ? ['Bb', 'Eb', 'leader'] : [instrument === 'trumpet' ? 'Bb' : 'Eb'] };
  }

  @OnQuestion('drive.file_requested')
  async file({ fileId }: Ask<'drive.file_requested'>): Promise<Answer<'drive.file_requested'>> {
    this.asked.push(fileId);
    if (this.silentNext) {
      this.silentNext = false;
      return new Promise<never>(() => undefined);
    }
    const failure = this.failNext;
    this.failNext = null;
    if (failure !== null) throw failure as Error;
    const file = this.files.get(fileId);
    if (!file) throw new CodedError({ code: 'file_unknown', message: 'No such file.', remedy: 'Look again.', status: 404 });
    const { bandId, path, revision } = file;
    const refusal = this.refusing.get(bandId);
    if (refusal) throw refusal;
    await this.delayed('file', fileId);
    if (file.removed) return { state: 'removed', fileId, bandId, path, revision };
    this.revisions.set(`${fileId} ${revision}`, file);
    return { state: 'present', file: driveFile(file) };
  }

  @OnQuestion('drive.bands_requested')
  async bandIds(): Promise<Answer<'drive.bands_requested'>> {
    const failure = this.unready;
    this.unready = null;
    await this.delayed('bands', '');
    if (failure) throw failure;
    return { bandIds: [...this.connected] };
  }

  @OnQuestion('drive.files_requested')
  fileIds({ bandId }: Ask<'drive.files_requested'>): Answer<'drive.files_requested'> {
    return {
      fileIds: [...this.files.values()].filter((file) => file.bandId === bandId && !file.removed).map((file) => file.fileId),
    };
  }

  @OnQuestion('drive.rescan_requested')
  async rescan(): Promise<Answer<'drive.rescan_requested'>> {
    await this.delayed('rescan', '');
    const found = this.found.splice(0);
    return { changes: found.length, found };
  }

  /** Each band is subscribed to on a channel of its own name. */
  @OnQuestion('drive.webhook_presented')
  webhook({ headers }: Ask<'drive.webhook_presented'>): Answer<'drive.webhook_presented'> {
    const [bandId, token, number, state] = ['id', 'token', 'number', 'state'].map((name) => headers[`x-channel-${name}`]);
    if (typeof bandId !== 'string' || typeof number !== 'string' || typeof state !== 'string')
      throw refusedNotification('webhook_invalid', 400);
    if (![...this.memberships.values()].flat().some((membership) => membership.bandId === bandId))
      throw refusedNotification('webhook_unknown', 404);
    if (token !== `secret-of-${bandId}`) throw refusedNotification('webhook_invalid', 400);
    return { bandId, eventId: `${bandId}:${number}`, state };
  }

  /** Says the same in another order each time, as who has parsed and who looks it up. */
  @OnQuestion('content.parse_requested')
  async parse({ file }: Ask<'content.parse_requested'>): Promise<Answer<'content.parse_requested'>> {
    this.parsed.push(file.fileId);
    await this.delayed('parse', file.fileId);
    const { audience, text } = this.revisions.get(`${file.fileId} ${file.revision}`)!;
    const kind = 'text';
    return { audience, content: this.parsed.length % 2 === 0 ? { kind, text } : { text, kind } };
  }

  @OnQuestion('content.forget_requested')
  async forget({ fileId }: Ask<'content.forget_requested'>): Promise<Answer<'content.forget_requested'>> {
    await this.delayed('forget', fileId);
    return { forgotten: true };
  }

  @OnFact('sync.started')
  async started({ fileId }: Facts['sync.started']): Promise<void> {
    await this.delayed('started', fileId ?? '');
  }

  @OnFact('sync.completed')
  completed(fact: Facts['sync.completed']): void {
    this.told.push({ name: 'sync.completed', fact });
  }

  @OnFact('sync.failed')
  async failed(fact: Facts['sync.failed']): Promise<void> {
    this.told.push({ name: 'sync.failed', fact });
    await this.delayed('failed', fact.fileId ?? '');
  }

  @OnFact('sync.file_updated')
  fileUpdated(fact: Facts['sync.file_updated']): void {
    this.told.push({ name: 'sync.file_updated', fact });
  }
}

const refusedNotification = (code: string, status: number): CodedError =>
  new CodedError({ code, message: 'That was not posted by a drive.', remedy: 'Leave it.', status });

function driveFile({ fileId, bandId, path, text, revision, hasNewerNamesake = false }: SmallFile): DriveFile {
  return {
    fileId,
    bandId,
    path,
    size: text.length,
    hash: text,
    mimeType: 'text/plain',
    revision,
    modifiedAt: '2026-01-01T00:00:00.000Z',
    problem: null,
    hasNewerNamesake,
  };
}
