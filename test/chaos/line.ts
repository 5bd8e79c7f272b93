import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import type { Random } from './random.js';

/** Where servers are at present; shared by all lines of a process. */
export interface Servers {
  ports: readonly number[];
}

/**
 * A device's line to the servers. As behind a load balancer that has not noticed yet, an attempt may go to a server that is
 * stopped or dead. Cutting it is what forces a reconnect, and only those are counted.
 */
export class Line extends Agent {
  private readonly connected = new Set<Socket>();
  private port = 0;
  private wasCut = false;
  /** Connections that worked, were cut, and were there again. */
  forcedReconnects = 0;

  constructor(
    private readonly servers: Servers,
    private readonly random: Random,
  ) {
    super();
  }

  /** Of Socket.IO; the address is never looked up, since the line knows where to go. */
  static readonly url = 'http://servers.invalid';

  socketOptions(transport: 'websocket' | 'polling'): Partial<ManagerOptions & SocketOptions> {
    // Declared for browsers, where there is no agent to give.
    return { agent: this as unknown as boolean, transports: [transport] };
  }

  /** Before each attempt: all requests of one connection go to one server. */
  choose(): void {
    this.port = this.random.pick(this.servers.ports);
  }

  opened(): void {
    if (this.wasCut) this.forcedReconnects += 1;
    this.wasCut = false;
  }

  /** Destroys what is connected, without a goodbye. @param isOpen whether the device has a connection to lose */
  cut(isOpen: boolean): void {
    this.wasCut ||= isOpen;
    const reset = this.random.chance(0.5);
    for (const socket of this.connected) {
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  override createConnection(): Socket {
    const socket = connect(this.port, '127.0.0.1');
    this.connected.add(socket);
    socket.once('close', () => this.connected.delete(socket));
    return socket;
  }
}
