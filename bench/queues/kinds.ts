import { bareLoop } from './bare-loop.js';
import { graphile } from './graphile.js';
import { ours } from './ours.js';
import type { QueueKind } from './queue-side.js';

export const kinds = { ours, bareLoop, graphile } satisfies Record<string, QueueKind>;
export type KindName = keyof typeof kinds;
