import { join } from 'node:path';
import { Cable } from '../support/cable.js';
import { Child } from './child.js';
import type { FromNode, NodeSetting, ToNode } from './messages.js';

/** One place for a server: whoever is killed there is started there again. */
export interface NodeSlot {
  name: string;
  /** To PostgreSQL. */
  cable: Cable;
  recordFile: string;
  serves: boolean;
  child: Child<ToNode, FromNode>;
  /** Serving, since it said so. */
  isReady: boolean;
  /** Of the last one that served here. */
  port: number | null;
}

export interface NodesOptions {
  /** Those that devices connect to. One more only publishes; it may hold the office as well. */
  servers: number;
  devices: number;
  seed: number;
  databaseUrl: string;
  directory: string;
  writers: number;
  thinkMs: number;
}

/** The server processes of the run. */
export class Nodes {
  readonly slots: NodeSlot[] = [];
  private incarnations = 0;
  private isWorking = false;

  private constructor(
    private readonly options: NodesOptions,
    private readonly onPorts: (ports: number[]) => void,
  ) {}

  /** @param onPorts is told where servers are, whenever that changes */
  static async start(options: NodesOptions, onPorts: (ports: number[]) => void): Promise<Nodes> {
    const nodes = new Nodes(options, onPorts);
    for (let nth = 1; nth <= options.servers + 1; nth++) {
      const serves = nth <= options.servers;
      const name = serves ? `server-${nth}` : 'publisher';
      const cable = await Cable.plug(() => options.databaseUrl);
      const recordFile = join(options.directory, `${name}.record.jsonl`);
      const slot = { name, cable, recordFile, serves, isReady: false, port: null } as unknown as NodeSlot;
      nodes.slots.push(slot);
      nodes.launch(slot);
    }
    await nodes.allReady();
    return nodes;
  }

  named(name: string): NodeSlot | undefined {
    return this.slots.find((slot) => slot.name === name);
  }

  /** @returns false when it had ended by itself */
  async kill(slot: NodeSlot): Promise<boolean> {
    slot.isReady = false;
    return slot.child.kill();
  }

  /** Starts a successor of one that was killed. */
  launch(slot: NodeSlot): void {
    const { options } = this;
    const url = new URL(options.databaseUrl);
    url.port = new URL(slot.cable.url).port;
    const setting: NodeSetting = {
      name: slot.name,
      incarnation: this.incarnations++,
      databaseUrl: url.href,
      recordFile: slot.recordFile,
      seed: options.seed,
      devices: options.devices,
      serves: slot.serves,
      writers: options.writers,
      thinkMs: options.thinkMs,
    };
    const child = new Child<ToNode, FromNode>('node', setting, join(options.directory, `${slot.name}.log`));
    slot.child = child;
    void child.next('ready').then((ready) => {
      if (ready === null || slot.child !== child) return;
      slot.isReady = true;
      slot.port = slot.serves ? ready.port : null;
      if (this.isWorking) child.tell({ say: 'resume' });
      this.onPorts(this.ports);
    });
  }

  get ports(): number[] {
    return this.slots.flatMap(({ port }) => port ?? []);
  }

  /** @throws Error when one cannot be started */
  async allReady(): Promise<void> {
    await Promise.all(
      this.slots.map(async (slot) => {
        if (slot.isReady) return;
        if ((await slot.child.next('ready')) === null)
          throw new Error(`${slot.name} ended before it was ready, see its log`);
      }),
    );
  }

  resumePublishers(): void {
    this.isWorking = true;
    for (const slot of this.slots) if (slot.isReady) slot.child.tell({ say: 'resume' });
  }

  /** Resolves when every transaction of those that live is over. */
  async pausePublishers(): Promise<void> {
    this.isWorking = false;
    await Promise.all(this.slots.map(async ({ isReady, child }) => isReady && child.ask({ say: 'pause' }, 'paused')));
  }

  async close(): Promise<void> {
    for (const { child, cable } of this.slots) {
      await child.kill();
      await cable.remove();
    }
  }
}
