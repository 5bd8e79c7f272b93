import type { DataSource } from 'typeorm';
import { BandPaces } from '../src/queue/band-paces.js';
import { Cancellations } from '../src/queue/cancellations.js';
import { Intake } from '../src/queue/intake.js';
import { Items } from '../src/queue/items.js';
import { Leases, type LeaseOptions } from '../src/queue/leases.js';
import { Losses } from '../src/queue/losses.js';
import { QueueDatabase } from '../src/queue/queue-database.js';
import { Settlements } from '../src/queue/settlements.js';

/** What one process has of the queue alone. */
export interface ProcessParts {
  leases: Leases;
  losses: Losses;
}

/** The queue on a database, without those who work on it. */
export class QueueParts {
  readonly database: QueueDatabase;
  readonly intake: Intake;
  readonly paces: BandPaces;
  readonly items: Items;
  readonly settlements: Settlements;
  readonly cancellations: Cancellations;

  constructor(source: DataSource, answerMs?: number) {
    this.database = new QueueDatabase(source, answerMs);
    this.intake = new Intake(this.database);
    this.paces = new BandPaces(this.database);
    this.items = new Items(this.database, this.intake);
    this.settlements = new Settlements(this.database);
    this.cancellations = new Cancellations(this.database);
  }

  process(number: number, { leaseMs = 60_000, bandOperationsPerMinute = null }: Partial<LeaseOptions> = {}): ProcessParts {
    const options = { node: `node-${number}`, worker: number, leaseMs, bandOperationsPerMinute };
    return {
      leases: new Leases(this.database, this.paces, options),
      losses: new Losses(this.database, number),
    };
  }
}
