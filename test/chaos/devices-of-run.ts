import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.js';
import type { DeviceCounts, DevicesSetting, FromDevices, ToDevices } from './messages.js';
import type { Stories } from './story.js';

/** The processes that hold the devices, as one. */
export class DevicesOfRun {
  private readonly children: Child<ToDevices, FromDevices>[];
  private readonly counted = new Map<Child<ToDevices, FromDevices>, DeviceCounts>();

  constructor(
    processes: number,
    devices: number,
    seed: number,
    private readonly directory: string,
  ) {
    this.children = Array.from({ length: processes }, (_, part) => {
      const setting: DevicesSetting = { seed, devices, part, of: processes };
      const child = new Child<ToDevices, FromDevices>('devices', setting, join(directory, `devices-${part}.log`));
      child.on('counts', ({ counts }) => this.counted.set(child, counts));
      return child;
    });
  }

  get counts(): DeviceCounts {
    const total: DeviceCounts = { deliveries: 0, forcedReconnects: 0, lostStores: 0, faults: 0 };
    for (const counts of this.counted.values())
      for (const key of Object.keys(total) as (keyof DeviceCounts)[]) total[key] += counts[key];
    return total;
  }

  /** @throws Error when a process cannot be started */
  async ready(): Promise<void> {
    const ready = await Promise.all(this.children.map((child) => child.next('ready')));
    if (ready.includes(null)) throw new Error(`Devices ended before they were ready, see ${this.directory}`);
  }

  tell(message: ToDevices): void {
    for (const child of this.children) child.tell(message);
  }

  /** @returns what is missing, in words */
  async complete(heads: { [channel: string]: number }, withinMs: number): Promise<string[]> {
    const answers = await Promise.all(
      this.children.map((child) => child.ask({ say: 'complete', heads, withinMs }, 'completed')),
    );
    return answers.flatMap((answer) => answer?.missing ?? ['a process of devices has ended']);
  }

  /** What every device was told, which is also kept in files. @throws Error when a process has ended */
  async stories(): Promise<Stories[]> {
    return Promise.all(
      this.children.map(async (child, part) => {
        const file = join(this.directory, `stories-${part}.json`);
        const exported = await child.ask({ say: 'export', file }, 'exported');
        if (exported === null) throw new Error(`Devices ended before the end of the run, see ${this.directory}`);
        return JSON.parse(readFileSync(file, 'utf8')) as Stories;
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.children.map((child) => child.kill()));
  }
}
