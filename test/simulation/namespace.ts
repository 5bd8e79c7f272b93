import type { Namespace, Socket } from 'socket.io';
import type { End, Line } from './line.js';

const opening = { sid: 'e', upgrades: [], pingInterval: 1e9, pingTimeout: 1e9, maxPayload: 1e6 };

type Middleware = (socket: ServerSocket, next: (error?: Error & { data?: unknown }) => void) => void;
type Listener = (...args: unknown[]) => void;

/** Of Socket.IO's namespace `/sync` what the gateway uses, over lines of the simulated world. */
export class MemoryNamespace {
  readonly server = { engine: { opts: {} } };
  private middleware: Middleware = (_, next) => next();

  /** @param onConnection as Nest calls the gateway @param onSent is told of every event that goes to a socket */
  constructor(
    private readonly onConnection: (socket: Socket) => void,
    readonly onSent: (socket: ServerSocket, event: string, frame: unknown) => void,
  ) {}

  get asNamespace(): Namespace {
    return this as unknown as Namespace;
  }

  use(middleware: Middleware): void {
    this.middleware = middleware;
  }

  /** A line was opened to this server. */
  accept(line: Line): End {
    line.sendDown(`0${JSON.stringify(opening)}`);
    let socket: ServerSocket | null = null;
    return {
      receive: (packet) => {
        if (packet.startsWith('40')) this.admit((socket = new ServerSocket(this, line, JSON.parse(packet.slice(8)))));
        else if (packet.startsWith('42')) socket?.receive(packet.slice(8));
        else if (packet.startsWith('41')) socket?.ended();
      },
      closed: () => socket?.ended(),
    };
  }

  private admit(socket: ServerSocket): void {
    this.middleware(socket, (error) => {
      if (!socket.connected) return;
      if (error) {
        socket.line.sendDown(`44/sync,${JSON.stringify({ message: error.message, data: error.data })}`);
        return;
      }
      socket.line.sendDown('40/sync,{"sid":"s"}');
      this.onConnection(socket as unknown as Socket);
    });
  }
}

/** Of the server's half of a socket what the gateway uses. */
export class ServerSocket {
  connected = true;
  data: unknown = null;
  readonly handshake: { auth: Record<string, unknown> };
  readonly conn = { transport: { writable: true, on: () => undefined }, on: () => undefined };
  private readonly anyListeners: Listener[] = [];
  private readonly listeners: [string, Listener][] = [];

  constructor(
    private readonly namespace: MemoryNamespace,
    readonly line: Line,
    auth: Record<string, unknown>,
  ) {
    // Inflating takes a time of its own, which no seed decides.
    this.handshake = { auth: { ...auth, accept: [] } };
  }

  on(event: string, listener: Listener): void {
    this.listeners.push([event, listener]);
  }

  onAny(listener: Listener): void {
    this.anyListeners.push(listener);
  }

  emit(event: string, frame: unknown): void {
    this.deliver(event, frame, encoded(event, frame));
  }

  deliver(event: string, frame: unknown, packet: string): void {
    if (!this.connected) return;
    this.namespace.onSent(this, event, frame);
    this.line.sendDown(packet);
  }

  disconnect(): void {
    if (!this.connected) return;
    this.line.sendDown('41/sync,');
    this.line.closeDown();
    this.ended();
  }

  /** @param packet the rest of an event: an id, where an answer is wanted, and the arguments */
  receive(packet: string): void {
    if (!this.connected) return;
    const [, id, args] = /^(\d*)(\[.*)$/s.exec(packet)!;
    const given = JSON.parse(args!) as unknown[];
    if (id !== '') given.push((answer: unknown) => this.line.sendDown(`43/sync,${id}${JSON.stringify([answer])}`));
    for (const listener of this.anyListeners) listener(...given);
  }

  /** As Socket.IO: two events, one after the other. */
  ended(): void {
    if (!this.connected) return;
    this.connected = false;
    this.tell('disconnecting');
    this.tell('disconnect');
  }

  private tell(event: string): void {
    for (const [name, listener] of this.listeners) if (name === event) listener();
  }
}

const encoded = (event: string, frame: unknown): string => `42/sync,${JSON.stringify([event, frame])}`;
