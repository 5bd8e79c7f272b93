import { signalName, type Signalled } from '@soleil/sync-protocol';

/** A signal with what is worked out once for all devices. */
export interface WeighedSignal {
  frame: Signalled;
  name: string;
  /** Of its JSON. */
  bytes: number;
}

export function weigh(frame: Signalled): WeighedSignal {
  return { frame, name: signalName(frame), bytes: Buffer.byteLength(JSON.stringify(frame)) };
}
