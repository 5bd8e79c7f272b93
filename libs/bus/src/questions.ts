/** Who presents a token. */
export interface Principal {
  userId: string;
  sessionId: string;
  displayName: string;
  /** ISO 8601; a connection must not outlive it. */
  expiresAt: string;
}

export type Role = 'member' | 'leader';

export interface Membership {
  bandId: string;
  role: Role;
  /** As Content spells them: `trumpet`, `alto sax`, `piano`. */
  instrument: string;
}

/** A user, as a member of one band. */
export interface Member {
  userId: string;
  name: string;
  instrument: string;
  role: Role;
}

/** A file as its provider has it now. */
export interface DriveFile {
  fileId: string;
  bandId: string;
  /** Path inside the band's folder, `/` between its parts. */
  path: string;
  /** Bytes. */
  size: number;
  /** SHA-256 of the bytes, hex. */
  hash: string;
  mimeType: string;
  /** Ascending per file; the same revision always means the same path and bytes, and the same answer to `hasNewerNamesake`. */
  revision: number;
  /** ISO 8601. */
  modifiedAt: string;
  /** Set where Drive cannot serve the bytes: a link out of the folder, or no permission to read. `size` is 0 and `hash` empty then. */
  problem: { code: string; reason: string } | null;
  /** Another file of the same name in the same folder, which some drives allow, was changed later. */
  hasNewerNamesake: boolean;
}

export type DriveFileState =
  | { state: 'present'; file: DriveFile }
  | { state: 'removed'; fileId: string; bandId: string; path: string; revision: number };

/** What Content makes of a file. `Content` is the platform's own description of it, opaque to Sync. */
export interface ContentVerdict<Content = Record<string, unknown>> {
  /** The audience within the band whose channel carries the file; null: the whole band. */
  audience: string | null;
  content: Content;
}

/** A change of a file that is told as a fact, `drive.file_…`, with the same event id. */
export interface DriveChange {
  eventId: string;
  fileId: string;
  kind: 'added' | 'changed' | 'removed';
}

/** What a drive's notification was about, once it is known to be genuine. */
export interface DriveNotification {
  bandId: string;
  /** The same at every redelivery of this notification, and of no other. */
  eventId: string;
  /** `sync`: the subscription has begun, nothing has changed; any other: look for changes. */
  state: string;
}

/** Every question on the bus: what is asked, and what the one answerer returns. Names are `module.what_is_wanted`. */
export interface Questions {
  /** @throws CodedError `token_missing`, `token_invalid`, `token_expired`, `session_ended` */
  'auth.token_presented': { ask: { token: string }; answer: Principal };
  'auth.memberships_requested': { ask: { userId: string }; answer: { memberships: Membership[] } };
  /** Everybody in a band, as they should be listed. @throws CodedError `band_unknown` */
  'auth.members_requested': { ask: { bandId: string }; answer: { members: Member[] } };
  /** Which audiences of a band somebody with this instrument and role belongs to. */
  'content.audiences_requested': { ask: { instrument: string; role: Role }; answer: { audiences: string[] } };
  /** The present state of a file. @throws CodedError `file_unknown` */
  'drive.file_requested': { ask: { fileId: string }; answer: DriveFileState };
  /** The bytes of one revision, at most `limit` of them. @throws CodedError `file_unknown`, `revision_gone` (retryable: ask again) */
  'drive.bytes_requested': {
    ask: { fileId: string; revision: number; limit: number };
    answer: { bytes: Uint8Array; truncated: boolean };
  };
  /** The bands that are connected to a drive, once Drive has begun to watch them. */
  'drive.bands_requested': { ask: Record<string, never>; answer: { bandIds: string[] } };
  /** All files of a band that are present, ascending by path. */
  'drive.files_requested': { ask: { bandId: string }; answer: { fileIds: string[] } };
  /**
   * Look at the band's folder now; what differs is published as facts. `changes`: how many this look came upon. `found`: what nobody had
   * given a receipt for when it was asked, and what was committed until now, whoever came upon it; oldest first, 10,000 at most.
   * @throws CodedError `folder_missing`, `band_unknown`
   */
  'drive.rescan_requested': { ask: { bandId: string }; answer: { changes: number; found: DriveChange[] } };
  /**
   * Is this notification, as a drive posted it to our webhook, genuine, and which band is it about? Header names in lower
   * case. By the answer the band's source has been told to look, so nothing is lost by who goes no further.
   * @throws CodedError `webhook_unknown`: nobody subscribed to this; `webhook_invalid`: headers missing, malformed or forged
   */
  'drive.webhook_presented': {
    ask: { headers: Readonly<Record<string, string | string[] | undefined>> };
    answer: DriveNotification;
  };
  /** Understand a file, remember what was understood, and say who it is for. Bad files get a verdict too, never an error. */
  'content.parse_requested': { ask: { file: DriveFile; operationId: string }; answer: ContentVerdict };
  /**
   * Forget a file, as of this revision: it was removed by it, or is not wanted. The same revision may be wanted again. Asking twice is
   * harmless.
   */
  'content.forget_requested': {
    ask: { fileId: string; revision: number; operationId: string };
    answer: { forgotten: boolean };
  };
}

export type QuestionName = keyof Questions;
export type Ask<Name extends QuestionName> = Questions[Name]['ask'];
export type Answer<Name extends QuestionName> = Questions[Name]['answer'];
