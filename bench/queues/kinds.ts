import { bareLoop } from './bare-loop.js';
import { bullmq } from './bullmq.js';
import { graphile } from './graphile.js';
import { ours } from './ours.js';
import type { QueueKind } from './queue-side.js';

export const kinds = { ours, bareLoop, graphile, bullmq } satisfies Record<string, QueueKind>;
export type KindName = keyof typeof kinds;
