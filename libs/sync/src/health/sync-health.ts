import { Injectable } from '@nestjs/common';
import type { Canary, Health } from './canary.js';

/** Whether changes come through on this node: for readiness probes. */
@Injectable()
export class SyncHealth {
  constructor(private readonly canary: Canary) {}

  /** As the last message said that this node sent to itself. Asks nobody, throws nothing. */
  check(): Health {
    return this.canary.health;
  }
}
