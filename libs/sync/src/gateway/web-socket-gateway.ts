import { Inject, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway as Gateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import { Bus, OnFact, type Facts, type Principal } from '@soleil/bus';
import { handshake, limits, protocolVersion, SyncError, type Handshake } from '@soleil/sync-protocol';
import type { Namespace, Socket } from 'socket.io';
import { z } from 'zod';
import { Hubs } from '../fan-out/hubs.js';
import { NodeLink } from '../log/node-link.js';
import type { ResolvedSyncOptions } from '../options.js';
import { SYNC_OPTIONS } from '../tokens.js';
import { askAccess, type Access } from './access.js';
import { Connection } from './connection.js';
import { ClientFrames } from './client-frames.js';
import { toWireError } from './wire-error.js';

/** How often connections are looked over: acknowledgements that are due, readers that stood still. */
const roundMs = 1_000;
/** Devices of a server that stops come back spread over this time. */
const drainSpreadMs = 2_000;

/** Who is connected, for status pages. */
export interface ConnectionInfo {
  userId: string;
  displayName: string;
  sessionId: string;
  deviceId: string;
  connectedAt: string;
  lastSeenAt: string;
  channels: string[];
  /** Bytes sent and not yet acknowledged. */
  unacknowledgedBytes: number;
}

interface Admitted {
  principal: Principal;
  access: Access;
  deviceId: string;
}

/**
 * The devices of this node, on the Socket.IO namespace `/sync`. Whoever may not connect is refused by a middleware, so
 * that the client sees `connect_error` and never a connection that closes again.
 */
@Gateway({
  namespace: '/sync',
  serveClient: false,
  // A message is compressed once for everybody or not at all; per socket it costs eight times the throughput.
  perMessageDeflate: false,
  maxHttpBufferSize: limits.packetBytes,
  pingInterval: 10_000,
  pingTimeout: 10_000,
})
export class WebSocketGateway implements OnGatewayInit, OnGatewayConnection, BeforeApplicationShutdown {
  private readonly logger = new Logger('WebSocketGateway');
  private readonly connections = new Map<string, Connection>();
  private readonly round: NodeJS.Timeout;
  private namespace: Namespace | null = null;
  private draining = false;

  constructor(
    private readonly bus: Bus,
    private readonly hubs: Hubs,
    private readonly link: NodeLink,
    private readonly frames: ClientFrames,
    @Inject(SYNC_OPTIONS) private readonly options: ResolvedSyncOptions,
  ) {
    this.round = setInterval(() => this.lookOver(), roundMs);
    link.onNews((news) => {
      if (news.kind === 'session') this.endSession(news.sessionId);
      if (news.kind === 'access') void this.refreshAccess(news.userId);
    });
    link.onReconnected(() => void this.refreshAll());
  }

  /** Everybody connected to this node. */
  connected(): ConnectionInfo[] {
    return [...this.connections.values()].map((connection) => ({
      userId: connection.principal.userId,
      displayName: connection.principal.displayName,
      sessionId: connection.principal.sessionId,
      deviceId: connection.deviceId,
      connectedAt: connection.connectedAt.toISOString(),
      lastSeenAt: connection.lastSeenAt.toISOString(),
      channels: [...connection.readers.keys()],
      unacknowledgedBytes: connection.window.unacknowledgedBytes,
    }));
  }

  afterInit(namespace: Namespace): void {
    this.namespace = namespace;
    namespace.use((socket, next) => {
      this.admit(socket).then(
        (admitted) => {
          socket.data = admitted;
          next();
        },
        (error: unknown) => {
          const refusal = toWireError(error);
          next(Object.assign(new Error(refusal.message), { data: refusal }));
        },
      );
    });
    this.hubs.start((channel, frame) => void namespace.local.to(channel).emit('messages', frame));
  }

  handleConnection(socket: Socket): void {
    const { principal, access, deviceId } = socket.data as Admitted;
    const connection = new Connection(socket, principal, deviceId, access, this.options.windowBytes);
    this.replaceEarlier(connection);
    this.connections.set(socket.id, connection);
    // Socket.IO has left the rooms by the time of `disconnect`; readers must leave theirs in the same turn.
    socket.on('disconnecting', () => {
      this.connections.delete(socket.id);
      connection.ended();
    });
    connection.watchExpiry(() => connection.close(new SyncError('token_expired', 'The sign-in has expired.')));
    this.frames.attach(socket, connection);
    connection.emit('pace', { ackEveryMs: this.options.ackEveryMs, ackEveryBytes: this.options.ackEveryBytes });
    // Rights may have changed between asking and now.
    void this.refreshConnection(connection);
  }

  @OnFact('auth.user_logged_out')
  loggedOut({ sessionId }: Facts['auth.user_logged_out']): void {
    this.endSession(sessionId);
    this.link.tell({ kind: 'session', sessionId });
  }

  @OnFact('auth.permission_updated')
  async permissionUpdated({ userId }: Facts['auth.permission_updated']): Promise<void> {
    this.link.tell({ kind: 'access', userId });
    await this.refreshAccess(userId);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.draining = true;
    clearInterval(this.round);
    for (const connection of this.connections.values()) {
      connection.emit('draining', { retryAfterMs: Math.round(Math.random() * drainSpreadMs) });
      connection.close(new SyncError('shutting_down', 'The server is stopping.'));
    }
    await this.hubs.stop();
  }

  private async admit(socket: Socket): Promise<Admitted> {
    if (this.draining) throw new SyncError('shutting_down', 'The server is stopping.');
    const { token, deviceId } = readHandshake(socket.handshake.auth);
    const principal = await this.bus.request('auth.token_presented', { token });
    const access = await askAccess(this.bus, principal.userId);
    const others = [...this.connections.values()].filter(
      (connection) => connection.principal.userId === principal.userId && connection.deviceId !== deviceId,
    );
    if (others.length >= this.options.devicesPerUser) {
      throw new SyncError('too_many_devices', 'Too many of your devices are connected.', {
        limit: this.options.devicesPerUser,
      });
    }
    return { principal, access, deviceId };
  }

  /** A device has one connection: a half-open earlier one would otherwise linger until its ping fails. */
  private replaceEarlier({ principal, deviceId }: Connection): void {
    for (const earlier of this.connections.values()) {
      if (earlier.principal.userId === principal.userId && earlier.deviceId === deviceId) {
        earlier.close(new SyncError('replaced', 'This device has connected once more.'));
      }
    }
  }

  private endSession(sessionId: string): void {
    for (const connection of this.connections.values()) {
      if (connection.principal.sessionId === sessionId) {
        connection.close(new SyncError('session_ended', 'You have signed out.'));
      }
    }
  }

  private async refreshAccess(userId: string): Promise<void> {
    const own = [...this.connections.values()].filter((connection) => connection.principal.userId === userId);
    await Promise.all(own.map((connection) => this.refreshConnection(connection)));
  }

  private async refreshAll(): Promise<void> {
    await Promise.all([...this.connections.values()].map((connection) => this.refreshConnection(connection)));
  }

  /** Asks for the rights anew and ends the channels that are gone. Rights that cannot be asked for end the connection: better away than leaking. */
  private async refreshConnection(connection: Connection): Promise<void> {
    // Answers may overtake one another; only that to the latest question counts.
    const turn = ++connection.accessTurn;
    let access: Access;
    try {
      access = await askAccess(this.bus, connection.principal.userId);
    } catch (error) {
      connection.close(toWireError(error));
      return;
    }
    if (turn !== connection.accessTurn) return;
    connection.access = access;
    for (const channel of connection.readers.keys()) {
      if (connection.access.channels.has(channel)) continue;
      connection.endChannel(channel);
      connection.emit('revoked', { channel });
    }
    connection.pumpAll();
  }

  private lookOver(): void {
    for (const connection of this.connections.values()) {
      if (connection.window.silentMs > this.options.ackTimeoutMs) {
        this.logger.warn(`Device ${connection.deviceId} acknowledges nothing; disconnecting it`);
        connection.close(new SyncError('ack_timeout', 'Nothing was acknowledged for too long.'));
      } else {
        connection.pumpAll();
      }
    }
  }
}

function readHandshake(auth: Record<string, unknown>): Handshake {
  // Socket.IO gives an object, empty where the client sent none.
  const { protocol, token } = auth;
  if (protocol !== undefined && protocol !== protocolVersion) {
    throw new SyncError('protocol_unsupported', 'This server does not speak that protocol version.', {
      supported: [protocolVersion],
    });
  }
  if (token === undefined || token === '') throw new SyncError('token_missing', 'The handshake carries no token.');
  const parsed = handshake.safeParse(auth);
  if (!parsed.success) {
    throw new SyncError('handshake_invalid', `The handshake does not fit: ${z.prettifyError(parsed.error)}`, {
      issues: parsed.error.issues,
    });
  }
  return parsed.data;
}
