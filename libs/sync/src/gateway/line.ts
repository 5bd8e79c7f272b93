import type { ServerResponse } from 'node:http';
import type { Socket } from 'socket.io';

/** What is said last may be taken within this time. */
const lastWordMs = 5_000;
/** What a packet that waits costs beside its data. */
const packetBytes = 100;

/** Of a packet of Engine.IO what it holds in memory. */
interface Packet {
  data?: string | Buffer;
  options?: { wsPreEncodedFrame?: readonly Buffer[] };
}

/** Of the insides of Engine.IO and ws what is used here; the transport has one of the two. */
interface Transport {
  /** A WebSocket. */
  socket?: { bufferedAmount: number; terminate(): void };
  /** The request of long polling that waits for its answer. */
  res?: ServerResponse | null;
}

/**
 * What this process holds for a device that does not take it: packets that Engine.IO has not handed on, what ws and the TCP
 * socket have yet to write, responses of long polling that are not read. What a client acknowledges, or asks to be
 * forgotten, may all the same be here, so it is measured and not reckoned.
 */
export class Line {
  private queuedBytes = 0;
  private respondingBytes = 0;
  private isOver = false;

  constructor(
    private readonly conn: Socket['conn'],
    private readonly mostBytes: number,
    /** Engine.IO has handed on all it had. */
    onReady: () => void,
    /** More than `mostBytes` are held. Called once, and not before the call that sent too much has ended. */
    private readonly onOverflow: () => void,
  ) {
    conn.on('packetCreate', (packet: Packet) => this.queued(heldBytes(packet)));
    conn.on('flush', () => this.flushed());
    const watch = (): unknown => conn.transport.on('ready', onReady);
    watch();
    conn.on('upgrade', watch);
  }

  get unsentBytes(): number {
    return this.queuedBytes + this.respondingBytes + (this.transport.socket?.bufferedAmount ?? 0);
  }

  /** Whether what is sent now is handed on at once. */
  get isReady(): boolean {
    return this.conn.transport.writable;
  }

  /** To be called when the last word was sent: a client that does not take it holds nothing of this process any longer. */
  end(): void {
    if (this.unsentBytes === 0) return;
    setTimeout(() => {
      this.conn.close(true);
      this.transport.socket?.terminate();
    }, lastWordMs).unref();
  }

  private get transport(): Transport {
    return this.conn.transport as unknown as Transport;
  }

  private queued(bytes: number): void {
    this.queuedBytes += packetBytes + bytes;
    if (this.isOver || this.unsentBytes <= this.mostBytes) return;
    this.isOver = true;
    queueMicrotask(this.onOverflow);
  }

  /** In the turn in which the transport takes all that waited. */
  private flushed(): void {
    const { res } = this.transport;
    const bytes = this.queuedBytes;
    this.queuedBytes = 0;
    if (!res) return;
    this.respondingBytes += bytes;
    res.once('close', () => (this.respondingBytes -= bytes));
  }
}

/** Text beyond ASCII may take two bytes for each of its characters. */
function heldBytes({ data = '', options }: Packet): number {
  const bytes = Buffer.byteLength(data);
  const text = typeof data === 'string' && bytes > data.length ? Math.max(bytes, 2 * data.length) : bytes;
  return text + (options?.wsPreEncodedFrame ?? []).reduce((sum, part) => sum + part.length, 0);
}
