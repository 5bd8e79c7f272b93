import type { DataSource } from 'typeorm';
import type { LogReader } from '../../libs/sync/src/log/log-reader.js';
import type { Batch } from '../../libs/sync/src/log/sequence-batch.js';
import { MemoryDatabase } from '../../libs/sync/test/memory-database.js';
import type { Carry } from '../../libs/sync/test/memory-log.js';

/** A row of the outbox, as far as it matters here. */
export interface CommittedRow {
  channel: string;
  type: string;
  key: string | null;
  data: unknown;
}

/** Sees what becomes true in the database, in the moment in which it does. */
export interface Witness {
  committed(rows: readonly CommittedRow[]): void;
  moved(batch: Pick<Batch, 'channel' | 'epoch' | 'messages'>): void;
}

/** A process's way to the database. */
export interface Access {
  database: DataSource;
  log: LogReader;
  /** All of its connections end, and what was open on them. */
  cut(): Promise<void>;
}

/** The database of a simulated world: in memory, or PostgreSQL. Every statement comes through a {@link Carry}. */
export interface SimulatedDatabase {
  /** @param soon does something to the database when its turn in the simulated world comes */
  connect(carry: Carry, soon: (work: () => Promise<void>) => void): Access;
  /** @returns what sets it back to how it is now */
  backup(): Promise<() => Promise<void>>;
  /** Retention, with this horizon. @returns the offsets that it left up to there */
  prune(channel: string, horizon: number): Promise<Set<number>>;
}

/** @param now the database's clock, milliseconds */
export type MakeDatabase = (now: () => number, witness: Witness) => Promise<SimulatedDatabase>;

export const inMemory: MakeDatabase = async (now, witness) => {
  const database = new MemoryDatabase(now, witness);
  return {
    connect: (carry) => {
      const dataSource = database.asDataSource(carry);
      return { database: dataSource, log: database.log.over(carry), cut: async () => dataSource.cut() };
    },
    backup: async () => {
      const restore = database.backup();
      return async () => restore();
    },
    prune: async (channel, horizon) => {
      database.log.prune(channel, horizon);
      return database.log.leftUpTo(channel, horizon);
    },
  };
};
