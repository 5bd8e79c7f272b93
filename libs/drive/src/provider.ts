import type { Readable } from 'node:stream';
import type { DriveNotification } from '@soleil/bus';
import type { DataSource } from 'typeorm';
import type { ChangeLog } from './change-log.js';
import type { DriveOptions } from './options.js';

/**
 * A kind of place where a band keeps its files: a folder of this machine, a cloud drive.
 *
 * One {@link DriveSource} connects one band to such a place. It finds out what is there in whatever way the place offers
 * (a watcher, change tokens, a full listing) and hands {@link Sighting}s to the band's {@link ChangeLog}, which decides
 * what of it is news. A source that reads changes from a token commits the next token together with the sightings it
 * stands for, as the log's cursor, so that neither is ever stored without the other.
 */
export interface DriveProvider {
  /** Stored with each connected band, so it must stay the same: `folder`. */
  readonly name: string;
  /**
   * The settings, checked and brought to their one stored form.
   * @throws DriveError `settings_invalid`
   */
  checkSettings(settings: unknown): Record<string, unknown>;
  connect(connection: SourceConnection): DriveSource;
  /**
   * For a place that posts notifications to a webhook: what this one is about, once it is known to be genuine.
   * @returns null when it is not one of this provider's subscriptions
   * @throws DriveError `webhook_invalid`, `webhook_unknown`
   */
  readNotification?(headers: NotificationHeaders, dataSource: DataSource): Promise<DriveNotification | null>;
}

/** Of an HTTP request, as Node gives them: names in lower case. */
export type NotificationHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface SourceConnection {
  bandId: string;
  /** As `checkSettings` returned them. */
  settings: Record<string, unknown>;
  changeLog: ChangeLog;
  /** For tables of the provider's own. */
  dataSource: DataSource;
  /** Those of DriveModule. */
  options: DriveOptions;
}

/** One band's files at their place. */
export interface DriveSource {
  /** Begins to watch and to compare, in the background. A place that cannot be reached is retried, and told by `status`. */
  start(): void;
  /** Ends watching; resolves when nothing of this source is in flight any more. */
  stop(): Promise<void>;
  /**
   * Brings the change log up to what is at the place now, and resolves when what differed is committed. What is being
   * written just now is not waited for; it is committed when it is quiet.
   * @returns how many changes were committed
   * @throws DriveError `folder_missing`, and what else keeps the source from its work
   */
  rescan(): Promise<number>;
  /** Something is said to have happened at the place: the source looks soon. */
  nudge?(): void;
  /** The band was connected to another place; called after `stop`. Ends what the source has set up at this one. */
  disconnect?(): Promise<void>;
  status(): SourceStatus;
  /**
   * The bytes `range` of a file, both ends included, of exactly the content with the file's hash: the stream fails rather
   * than mix two contents, before it has given its last byte.
   * @throws DriveError `revision_gone`, `folder_missing`, `not_readable`, `link_leaves_folder`; of a place that is reached
   *   over the network also `access_denied`, `credential_revoked`, `drive_busy`, `drive_unreachable`
   */
  open(file: KnownFile, range: ByteRange): Promise<Readable>;
}

/** In `folder_missing` and `access_lost` nothing is taken for removed, and the place is tried all the time. */
export type SourceState = 'starting' | 'scanning' | 'watching' | 'folder_missing' | 'access_lost' | 'stopped';

export interface SourceStatus {
  state: SourceState;
  /** ISO 8601; null before the first complete comparison. */
  lastScanAt: string | null;
  /** What keeps the source from its work now. */
  error: { code: string; message: string; remedy?: string } | null;
}

/** Bytes `start` to `end`, both included. Of an empty file: 0 to -1. */
export interface ByteRange {
  start: number;
  end: number;
}

export type ProblemCode = 'link_leaves_folder' | 'link_broken' | 'not_readable' | 'file_too_large';

/** Why a file is listed, yet cannot be served. */
export interface FileProblem {
  code: ProblemCode;
  /** A sentence for people. */
  reason: string;
}

/** What a file is compared by before its bytes are read again. Opaque to all but the source that made it. */
export type Fingerprint = Record<string, string>;

/** A file as the source found it. */
export interface PresentSighting {
  seen: 'present';
  /** `/` between its parts. */
  path: string;
  /** What the source knows the file by when its path changes; null when it has nothing of the kind. */
  sourceId: string | null;
  size: number;
  /** SHA-256, hex; empty where there is a problem. */
  hash: string;
  /** ISO 8601. */
  modifiedAt: string;
  fingerprint: Fingerprint;
  /** For a link: the path, inside the folder, of the file it leads to. */
  linkTarget: string | null;
  problem: FileProblem | null;
  /** Another file of the same name in the same folder was changed later. Never so where a place allows a name once. */
  hasNewerNamesake: boolean;
}

/** The source made sure that nothing is at this path any more. */
export interface GoneSighting {
  seen: 'gone';
  path: string;
}

export type Sighting = PresentSighting | GoneSighting;

/** A file as the change log has it. */
export interface KnownFile extends Omit<PresentSighting, 'seen'> {
  fileId: string;
  mimeType: string;
  revision: number;
  removed: boolean;
}
