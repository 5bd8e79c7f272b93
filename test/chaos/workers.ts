import { join } from 'node:path';
import { Child } from './child.js';
import type { FromWorker, ToWorker, WorkerSetting } from './messages.js';

/** One place for a worker: whoever is killed there is started there again. */
export interface WorkerSlot {
  nth: number;
  /** Of this process, not of the place. */
  name: string;
  child: Child<ToWorker, FromWorker>;
  isReady: boolean;
}

/** The processes that work operations. One of them tells what there is to do, and is spared. */
export class Workers {
  readonly slots: WorkerSlot[];
  readonly teller: WorkerSlot;
  private incarnations = 0;

  constructor(
    many: number,
    private readonly common: Omit<WorkerSetting, 'name'>,
    private readonly directory: string,
  ) {
    this.teller = this.launched(0);
    this.slots = Array.from({ length: many }, (_, nth) => this.launched(nth + 1));
  }

  /** @throws Error when one cannot be started */
  async allReady(): Promise<void> {
    for (const slot of [this.teller, ...this.slots])
      if (!slot.isReady && (await slot.child.next('ready')) === null)
        throw new Error(`${slot.name} ended before it was ready, see its log`);
  }

  /** Resolves when that many of the places have somebody who works. */
  async ready(many: number): Promise<WorkerSlot[]> {
    for (;;) {
      const ready = this.slots.filter(({ isReady }) => isReady);
      if (ready.length >= many) return ready;
      await Promise.race(this.slots.filter(({ isReady }) => !isReady).map(({ child }) => child.next('ready')));
    }
  }

  /** At once, in the middle of what it does, and starts a successor. */
  async kill(slot: WorkerSlot): Promise<void> {
    slot.isReady = false;
    await slot.child.kill();
    Object.assign(slot, this.launched(slot.nth));
    this.awaitReady(slot);
  }

  async close(): Promise<void> {
    await Promise.all([this.teller, ...this.slots].map(({ child }) => child.kill()));
  }

  private launched(nth: number): WorkerSlot {
    const incarnation = this.incarnations++;
    const place = nth === 0 ? 'teller' : `worker-${nth}`;
    const name = `${place}.${incarnation}`;
    const setting: WorkerSetting = { ...this.common, name, seed: this.common.seed + incarnation };
    const child = new Child<ToWorker, FromWorker>('worker', setting, join(this.directory, `${place}.log`));
    const slot = { nth, name, child, isReady: false };
    this.awaitReady(slot);
    return slot;
  }

  private awaitReady(slot: WorkerSlot): void {
    const { child } = slot;
    void child.next('ready').then((ready) => {
      if (ready !== null && slot.child === child) slot.isReady = true;
    });
  }
}
