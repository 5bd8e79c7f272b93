import { signalName, type Signalled } from '@soleil/sync-protocol';
import type { Named } from './latest.js';

/** A signal with what is worked out once for all devices. */
export interface WeighedSignal extends Named {
  frame: Signalled;
  /** Of its JSON. */
  bytes: number;
}

export function weigh(frame: Signalled): WeighedSignal {
  return { frame, name: signalName(frame), bytes: Buffer.byteLength(JSON.stringify(frame)) };
}
