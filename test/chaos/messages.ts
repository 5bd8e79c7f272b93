/** What the program says to its processes, and they to it. */
export type ToNode = { say: 'resume' } | { say: 'pause' };

export type FromNode =
  /** It serves, and its publisher is paused. */
  { say: 'ready'; port: number } | { say: 'paused' };

export type ToDevices =
  /** Where servers are, dead ones included: a device has to find out. */
  | { say: 'servers'; ports: number[] }
  /** From now on devices misbehave now and then. */
  | { say: 'misbehave' }
  | { say: 'behave' }
  /** Cuts the lines of this share of the devices. */
  | { say: 'storm'; share: number }
  /** Asks to be told when every device has everything up to these heads. */
  | { say: 'complete'; heads: Record<string, number>; withinMs: number }
  | { say: 'export'; file: string };

export type FromDevices =
  | { say: 'ready' }
  | { say: 'counts'; counts: DeviceCounts }
  /** `missing`: devices that did not make it, in words; empty when all did. */
  | { say: 'completed'; missing: string[] }
  | { say: 'exported' };

export interface DeviceCounts {
  /** Messages told to applications. */
  deliveries: number;
  /** Connections that were cut on purpose and are there again. */
  forcedReconnects: number;
  /** What a server must never do to a device. */
  faults: number;
  /** Devices that lost their store and began a new life. */
  lostStores: number;
}

/** What every process is given, as its argument. */
export interface NodeSetting {
  name: string;
  /** In the run: no two processes have the same, restarted ones neither. */
  incarnation: number;
  databaseUrl: string;
  recordFile: string;
  seed: number;
  devices: number;
  /** False: it only publishes. */
  serves: boolean;
  writers: number;
  thinkMs: number;
}

export interface DevicesSetting {
  seed: number;
  devices: number;
  /** Of those, the ones with `nth % of === part`. */
  part: number;
  of: number;
}

/** How a worker of operations is started. */
export interface WorkerSetting {
  name: string;
  seed: number;
  databaseUrl: string;
  shelf: string;
  files: number;
}

export type ToWorker =
  /** Changes files and tells of it, until this many changes have been told in all. */
  | { say: 'tell'; upTo: number }
  /** Has every file of the band looked over. */
  | { say: 'full_sync'; bandId: string };

export type FromWorker = { say: 'ready' } | { say: 'told' };
