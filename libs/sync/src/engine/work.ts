import type { SyncOperation } from '../entities/sync-operation.js';
import type { Wishable } from '../settings/band-settings.js';
import type { NewOperation } from '../queue/intake.js';

/** A file as the log should have it. */
export interface Wanted {
  fileId: string;
  bandId: string;
  revision: number;
  /** Null: removed, or left out by the band's settings. */
  living: { channel: string; data: Record<string, unknown>; wishable: Wishable } | null;
}

/**
 * What an operation found out, ready to take effect: in the transaction that completes it, so an operation that runs twice takes
 * effect once. `items`: these files are to be looked at, each by an operation of its own.
 */
export type Effect =
  { kind: 'none' } | { kind: 'file'; wanted: Wanted } | { kind: 'items'; items: (NewOperation & { fileId: string })[] };

/** The work of one kind of operation. Asks, and changes nothing that matters if it is done twice: the rest is the effect's. */
export type Work = (operation: SyncOperation) => Promise<Effect>;
