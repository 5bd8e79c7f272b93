import type { Position } from '@soleil/sync-protocol';
import type { LogReader } from '../log/log-reader.js';
import type { NodeLink, NodeNews } from '../log/node-link.js';
import type { Batch } from '../log/sequence-batch.js';
import { monotonicMs } from '../monotonic.js';
import type { PositionLoss } from './history.js';
import type { ReaderSocket } from './reader.js';
import { ChannelHub, type HubNode, type HubOptions } from './channel-hub.js';
import { Turns } from './turns.js';
import type { WeighedSignal } from '../signals/weighed-signal.js';

/** A channel nobody here reads is kept this long, with its tail, for devices that come back. */
const idleMs = 5 * 60_000;
/** An empty one has no tail to keep, and a client can make up as many names as it likes. Longer than anybody waits for a subscription. */
const emptyMs = 10_000;

/**
 * The channels that this node's devices read. Learns of new messages three ways: from the sequencer when it runs here,
 * from the other nodes' news, and from a look at the heads once a poll, which finds what both have missed.
 */
export class Hubs {
  private readonly hubs = new Map<string, ChannelHub>();
  private readonly turns: Turns;
  private readonly idleSince = new Map<string, number>();
  private poll: NodeJS.Timeout | null = null;
  private polling: Promise<void> | null = null;
  private node: HubNode = { obey: () => undefined };

  constructor(
    private readonly log: LogReader,
    link: NodeLink,
    private readonly options: HubOptions & { pollMs: number; socketsPerTurn: number },
  ) {
    this.turns = new Turns(options.socketsPerTurn);
    link.onNews((news) => this.receive(news));
    link.onReconnected(() => void this.lookAtHeads());
  }

  /** Before any channel is opened. */
  start(node: HubNode): void {
    this.node = node;
    this.poll ??= setInterval(() => void this.lookAtHeads(), this.options.pollMs);
  }

  async stop(): Promise<void> {
    if (this.poll) clearInterval(this.poll);
    this.poll = null;
    await this.polling;
  }

  /** @returns the channel, its head known */
  async open(channel: string): Promise<ChannelHub> {
    let hub = this.hubs.get(channel);
    if (!hub) {
      hub = new ChannelHub(channel, this.log, this.options, this.node, this.turns);
      this.hubs.set(channel, hub);
    }
    // Somebody is coming: it must not be dropped before they are here.
    this.idleSince.delete(channel);
    await hub.open();
    return hub;
  }

  /** @returns the channel, and why one of these positions is lost; null when all are good */
  async openAt(channel: string, positions: readonly Position[]): Promise<{ hub: ChannelHub; loss: PositionLoss | null }> {
    for (;;) {
      const hub = await this.open(channel);
      const { founding } = hub;
      let loss: PositionLoss | null = null;
      for (const position of positions) loss ??= await hub.lossOf(position);
      // Founded anew or dropped in between, it must be asked again.
      if (hub.isOpen && founding === hub.founding && hub === this.hubs.get(channel)) return { hub, loss };
    }
  }

  /** Fresh from this node's sequencer, after the commit. */
  deliver(batches: readonly Batch[]): void {
    for (const batch of batches) this.hubs.get(batch.channel)?.deliver(batch);
  }

  /** To the devices of this node that follow the channel. @param sender is not told */
  signal(signal: WeighedSignal, sender?: ReaderSocket): void {
    this.hubs.get(signal.frame.channel)?.signal(signal, sender);
  }

  private receive(news: NodeNews): void {
    if (news.kind !== 'heads') return;
    if (news.heads === null) void this.lookAtHeads();
    else for (const [channel, head] of Object.entries(news.heads)) this.hubs.get(channel)?.hear(head);
  }

  private async lookAtHeads(): Promise<void> {
    this.polling ??= this.pollHeads().finally(() => {
      this.polling = null;
    });
    await this.polling;
  }

  private async pollHeads(): Promise<void> {
    this.dropIdle();
    for (const hub of this.hubs.values()) hub.tidy();
    if (this.hubs.size === 0) return;
    try {
      const open = [...this.hubs]
        .filter(([, hub]) => hub.isOpen)
        .map(([channel, hub]) => ({ channel, hub, head: hub.head }));
      const heads = await this.log.heads([...this.hubs.keys()]);
      for (const { channel, hub, head } of open) hub.compare(heads.get(channel) ?? null, head);
      // One that could not be opened, or founded anew, is tried again.
      for (const [channel, hub] of this.hubs) if (!hub.isOpen) hub.hear(heads.get(channel) ?? { epoch: '', offset: 0 });
    } catch {
      // The database is away; the next poll looks again.
    }
  }

  private dropIdle(): void {
    const now = monotonicMs();
    for (const [channel, hub] of this.hubs) {
      if (!hub.isIdle) this.idleSince.delete(channel);
      else if (!this.idleSince.has(channel)) this.idleSince.set(channel, now);
      else if (now - this.idleSince.get(channel)! > (hub.isOpen && hub.head > 0 ? idleMs : emptyMs)) {
        this.hubs.delete(channel);
        this.idleSince.delete(channel);
      }
    }
  }
}
