import { createHash, createHmac } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import {
  Bus,
  CodedError,
  OnFact,
  OnQuestion,
  type Answer,
  type Ask,
  type DriveFile,
  type Facts,
  type Membership,
} from '@soleil/bus';

const bandId = 'choir';

/** Who sings, and what. */
const singers = new Map<string, Omit<Membership, 'bandId'>>([
  ['anna', { instrument: 'soprano', role: 'leader' }],
  ['ben', { instrument: 'bass', role: 'member' }],
]);

/**
 * All that Sync asks of a platform, answered from memory. Yours will ask its own tables; Sync never does. Whom it does not
 * know, a platform refuses with a CodedError, which reaches the device as it is.
 */
@Injectable()
export class Choir {
  private readonly logger = new Logger('Choir');
  private readonly files = new Map<string, DriveFile>();
  private readonly lyrics = new Map<string, string>();

  constructor(private readonly bus: Bus) {}

  /** A token that stays good over restarts. It stands in for your sign-in: here everybody has the same password. */
  signIn(login: string, password: string): string {
    if (!singers.has(login) || password !== 'sing')
      throw refusal(401, 'sign_in_failed', 'Nobody here has that name and password.');
    return `${login}.${signature(login)}`;
  }

  /** Resolves when Sync has a durable record of the change: a source of files keeps its own until then. */
  async save(fileId: string, title: string, text: string): Promise<void> {
    const at = new Date().toISOString();
    const revision = (this.files.get(fileId)?.revision ?? 0) + 1;
    const hash = createHash('sha256').update(text).digest('hex');
    const path = `${title}.txt`;
    this.files.set(fileId, {
      fileId,
      bandId,
      path,
      revision,
      hash,
      size: Buffer.byteLength(text),
      mimeType: 'text/plain',
      modifiedAt: at,
      problem: null,
      hasNewerNamesake: false,
    });
    this.lyrics.set(fileId, text);
    const fact = revision === 1 ? 'drive.file_added' : 'drive.file_changed';
    await this.bus.publish(fact, { eventId: `${fileId}@${revision}`, bandId, fileId, path, revision, at });
  }

  @OnFact('sync.file_updated')
  told({ fileId, channel }: Facts['sync.file_updated']): void {
    this.logger.log(`${fileId} is on its way to ${channel}`);
  }

  @OnQuestion('auth.token_presented')
  principal({ token }: Ask<'auth.token_presented'>): Answer<'auth.token_presented'> {
    const [userId = '', signed] = token.split('.');
    if (signed !== signature(userId)) throw refusal(401, 'token_invalid', 'That token is not ours.');
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    return { userId, sessionId: token, displayName: userId, expiresAt: inAnHour };
  }

  @OnQuestion('auth.memberships_requested')
  memberships({ userId }: Ask<'auth.memberships_requested'>): Answer<'auth.memberships_requested'> {
    const singer = singers.get(userId);
    return { memberships: singer ? [{ bandId, ...singer }] : [] };
  }

  @OnQuestion('auth.members_requested')
  members(): Answer<'auth.members_requested'> {
    return { members: [...singers].map(([userId, singer]) => ({ userId, name: userId, ...singer })) };
  }

  /** Everybody has the whole choir's channel anyway; beside it each voice has one. */
  @OnQuestion('content.audiences_requested')
  audiences({ instrument }: Ask<'content.audiences_requested'>): Answer<'content.audiences_requested'> {
    return { audiences: [instrument] };
  }

  @OnQuestion('content.parse_requested')
  parse({ file }: Ask<'content.parse_requested'>): Answer<'content.parse_requested'> {
    return { audience: null, content: { firstLine: this.lyrics.get(file.fileId)?.split('\n')[0] } };
  }

  @OnQuestion('content.forget_requested')
  forget({ fileId }: Ask<'content.forget_requested'>): Answer<'content.forget_requested'> {
    return { forgotten: this.lyrics.delete(fileId) };
  }

  @OnQuestion('drive.file_requested')
  file({ fileId }: Ask<'drive.file_requested'>): Answer<'drive.file_requested'> {
    const file = this.files.get(fileId);
    if (!file) throw refusal(404, 'file_unknown', 'There is no such song.');
    return { state: 'present', file };
  }

  @OnQuestion('drive.bands_requested')
  bandIds(): Answer<'drive.bands_requested'> {
    return { bandIds: [bandId] };
  }

  @OnQuestion('drive.files_requested')
  fileIds(): Answer<'drive.files_requested'> {
    return { fileIds: [...this.files.keys()] };
  }

  /** Whatever is saved is told at once, so another look finds nothing. */
  @OnQuestion('drive.rescan_requested')
  rescan(): Answer<'drive.rescan_requested'> {
    return { changes: 0, found: [] };
  }
}

function signature(userId: string): string {
  return createHmac('sha256', process.env['TOKEN_SECRET'] ?? 'only good enough for an example')
    .update(userId)
    .digest('base64url');
}

function refusal(status: number, code: string, message: string): CodedError {
  return new CodedError({
    status,
    code,
    message,
    remedy: status === 401 ? 'Sign in with POST /auth/sign-in.' : 'Look at the list of songs again.',
  });
}
