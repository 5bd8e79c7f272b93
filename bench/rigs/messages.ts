import type { SyncOptions } from '@soleil/sync';

/** What a server under measurement is told at its start. */
export interface OursSetting {
  databaseUrl: string;
  /** Members of the one band. */
  users: number;
  /** With `libs/auth`, its tokens and its tables, and not the stand-in whose tokens are names. */
  auth?: boolean;
  /** Where tokens are put, one a line, with `auth`. */
  tokenFile?: string;
  sync?: SyncOptions;
}

export interface StockSetting {
  /** With Socket.IO's own connection state recovery, in memory. */
  recovery?: boolean;
  /** Whoever joins is sent the rows of this database's log that follow the number it tells, as `pg` reads them. */
  databaseUrl?: string;
}

export type FromRig = { say: 'ready'; port: number; publishPort: number; channel: string } | ({ say: 'memory' } & Memory);

export interface ToRig {
  say: 'memory';
}

/** Bytes, after a full garbage collection. */
export interface Memory {
  rss: number;
  /** What JavaScript holds, buffers included. */
  held: number;
}
