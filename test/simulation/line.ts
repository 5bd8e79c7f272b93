import { Transport, type TransportCtor } from 'engine.io-client';
import { Lane, type Party, type Schedule } from './schedule.js';

/** One end of a line, as it is told what comes. */
export interface End {
  /** A packet of Engine.IO. */
  receive(packet: string): void;
  closed(): void;
}

/** A server that nobody pings notices a dead line after this time. */
const serverNoticesMs = 20_000;

/** A connection between a device and a server: what is sent arrives in order, or the line is cut. */
export class Line {
  private readonly up: Lane;
  private readonly down: Lane;
  private server: End | null = null;
  private isOver = false;
  /** Drops the device's acknowledgements. */
  isDeafToAcks = false;
  /** Takes everything and brings nothing. */
  private isSilent = false;

  constructor(
    private readonly schedule: Schedule,
    private readonly device: Party,
    private readonly node: Party,
    private readonly client: End,
  ) {
    this.up = new Lane(node);
    this.down = new Lane(device);
  }

  /** The server takes the connection, once it comes to it. */
  open(accept: () => End): void {
    this.schedule.add(this.up, 'accept', () => (this.server = accept()));
  }

  sendUp(packet: string): void {
    const isDropped = this.isSilent || (this.isDeafToAcks && packet.includes('["ack"'));
    if (!this.isOver && !isDropped) this.schedule.add(this.up, packet, () => this.server?.receive(packet));
  }

  sendDown(packet: string): void {
    if (!this.isOver && !this.isSilent) this.schedule.add(this.down, packet, () => this.client.receive(packet));
  }

  /** The device closes it; what was sent before still arrives. */
  closeUp(): void {
    if (!this.isSilent) this.schedule.add(this.up, 'closed', () => this.endServer());
    this.down.things.length = 0;
    this.isOver = true;
  }

  /** The server closes it. */
  closeDown(): void {
    if (!this.isSilent) this.schedule.add(this.down, 'closed', () => this.client.closed());
    this.up.things.length = 0;
    this.isOver = true;
  }

  /** What is on its way is lost; each end learns of it in its own time. */
  cut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.up.things.length = 0;
    this.down.things.length = 0;
    this.schedule.add(this.up, 'cut', () => this.endServer());
    this.schedule.add(this.down, 'cut', () => this.client.closed());
  }

  /** Half-open: nothing arrives any more, and nobody is told. */
  silence(): void {
    if (this.isOver || this.isSilent) return;
    this.isSilent = true;
    this.up.things.length = 0;
    this.down.things.length = 0;
    this.schedule.after(this.node, serverNoticesMs, 'ping timeout', () => this.endServer());
  }

  private endServer(): void {
    this.server?.closed();
    this.server = null;
  }
}

const types: Record<string, string> = { open: '0', close: '1', ping: '2', pong: '3', message: '4' };

/** A transport for socket.io-client that goes over lines of the simulated world instead of the network. */
export function transportOver(connect: (client: End) => Line): TransportCtor {
  return class MemoryTransport extends Transport {
    private line: Line | null = null;

    override get name(): string {
      return 'memory';
    }

    override doOpen(): void {
      this.line = connect({
        receive: (packet) => {
          // The first packet stands for the transport's own opening.
          if (packet.startsWith('0')) this.onOpen();
          this.onData(packet);
        },
        closed: () => this.onClose(),
      });
    }

    override doClose(): void {
      this.line?.closeUp();
      this.line = null;
    }

    override write(packets: { type: string; data?: unknown }[]): void {
      this.writable = false;
      for (const { type, data } of packets) this.line?.sendUp(`${types[type]}${typeof data === 'string' ? data : ''}`);
      queueMicrotask(() => {
        this.writable = true;
        this.emitReserved('drain');
      });
    }
  };
}
