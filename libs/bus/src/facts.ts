import type { EntityManager } from 'typeorm';
import type { Membership } from './questions.js';
import type { OperationFact, ProgressFact, FileUpdatedFact, OperationFailedFact } from './sync-facts.js';

/** Something that happened to one file of a band. */
export interface FileFact {
  /** The same at every redelivery of this change, and of no other change. */
  eventId: string;
  bandId: string;
  fileId: string;
  /** Path inside the band's folder, `/` between its parts. */
  path: string;
  /** Ascending per file. */
  revision: number;
  /** When the source saw it, ISO 8601. */
  at: string;
}

/** What Content knows of one file has changed. */
export interface ContentFact {
  eventId: string;
  bandId: string;
  fileId: string;
  /** The sync operation that asked for the work, where one did: it already takes the news on. */
  causedBy?: string;
  at: string;
}

export interface SessionFact {
  userId: string;
  sessionId: string;
  at: string;
}

export interface PermissionFact {
  userId: string;
  bandId: string;
  at: string;
}

/**
 * Told inside the transaction that makes the change, and awaited: what a listener writes through `transaction` commits with
 * the change or not at all, and an error it throws undoes the change. `transaction` must not be used after the listener returns.
 */
export interface ChangeFact {
  userId: string;
  /** The teller's own. Listeners keep off other connections meanwhile: each teller holds one already. */
  transaction: EntityManager;
}

export interface RightsChange extends ChangeFact {
  bandId: string;
  /** Null: there was no membership. */
  before: Membership | null;
  /** Null: there will be none. */
  after: Membership | null;
}

export interface SessionEnd extends ChangeFact {
  sessionId: string;
  /** All of the user's, so that nobody has to ask while the transaction is open. */
  memberships: Membership[];
}

/**
 * Every fact on the bus, and what it carries. Names are past events, `module.what_happened`; those in `-ing` are told
 * inside the transaction that makes them true ({@link ChangeFact}), whether or not anybody listens.
 */
export interface Facts {
  /** A membership is being given, changed or taken. Changes of one user's rights and sessions come one after another. */
  'auth.rights_changing': RightsChange;
  /** A session is being ended for good. */
  'auth.session_ending': SessionEnd;
  'auth.user_logged_in': SessionFact;
  'auth.user_logged_out': SessionFact;
  /** A membership was given, taken, or its role or instrument changed. */
  'auth.permission_updated': PermissionFact;
  'drive.file_added': FileFact;
  'drive.file_changed': FileFact;
  'drive.file_removed': FileFact;
  'content.updated': ContentFact;
  'content.deleted': ContentFact;
  'content.metadata_changed': ContentFact;
  'sync.started': OperationFact;
  'sync.progress': ProgressFact;
  'sync.completed': OperationFact;
  'sync.failed': OperationFailedFact;
  'sync.file_updated': FileUpdatedFact;
}

export type FactName = keyof Facts;

/**
 * Facts of a durable source: the source keeps them until a listener has stored what follows from them, so publishing one
 * fails unless a listener returned a {@link Receipt}. The others are told at most once.
 */
export const durableFacts: ReadonlySet<FactName> = new Set<FactName>([
  'drive.file_added',
  'drive.file_changed',
  'drive.file_removed',
  'content.updated',
  'content.deleted',
  'content.metadata_changed',
]);

/** A listener's word that what follows from the fact is committed. */
export interface Receipt {
  /** Names what was stored, for the log: an operation's id, for instance. */
  receipt: string;
}
