import { Inject, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway as Gateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import { Bus, OnFact, type Facts } from '@soleil/bus';
import { handshake, limits, protocolVersion, SyncError, type Handshake } from '@soleil/sync-protocol';
import type { Namespace, Socket } from 'socket.io';
import { z } from 'zod';
import { Hubs } from '../fan-out/hubs.js';
import { LedgerRecorder } from '../ledger/ledger-recorder.js';
import { NodeLink } from '../log/node-link.js';
import type { ResolvedSyncOptions } from '../options.js';
import { SYNC_OPTIONS } from '../tokens.js';
import { askAccess, type Access } from './access.js';
import { Connection, type Admitted } from './connection.js';
import { Connections } from './connections.js';
import { ClientFrames } from './client-frames.js';
import { FrameSender } from './frame-sender.js';
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
  private readonly connections = new Connections();
  private readonly round: NodeJS.Timeout;
  private namespace: Namespace | null = null;
  private sender: FrameSender | null = null;
  private draining = false;

  constructor(
    private readonly bus: Bus,
    private readonly hubs: Hubs,
    private readonly link: NodeLink,
    private readonly frames: ClientFrames,
    private readonly ledger: LedgerRecorder,
    @Inject(SYNC_OPTIONS) private readonly options: ResolvedSyncOptions,
  ) {
    this.round = setInterval(() => this.lookOver(), roundMs);
    link.onNews((news) => {
      if (news.kind === 'session') this.endSession(news.sessionId);
      if (news.kind === 'access') void this.recheckUser(news.userId);
    });
    // What was told meanwhile was missed.
    link.onReconnected(() => void Promise.all([...this.connections].map((connection) => this.recheck(connection, true))));
  }

  /** Everybody connected to this node. */
  connected(): ConnectionInfo[] {
    return [...this.connections].map((connection) => ({
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
    const sender = new FrameSender(namespace, this.options.deflateAfterBytes);
    this.sender = sender;
    this.hubs.start((channel, weighed) => sender.broadcast(channel, weighed));
  }

  handleConnection(socket: Socket): void {
    const admitted = socket.data as Admitted;
    const { principal, deviceId, durable } = admitted;
    const { windowBytes, frameBytes } = this.options;
    // The frame that fills the window goes beyond it.
    const connection = new Connection(
      socket,
      this.sender!,
      this.ledger.connected({ userId: principal.userId, deviceId, durable }),
      admitted,
      Math.max(windowBytes - frameBytes, Math.ceil(windowBytes / 4)),
    );
    this.replaceEarlier(connection);
    this.connections.add(connection);
    // Socket.IO has left the rooms by the time of `disconnect`; readers must leave theirs in the same turn.
    socket.on('disconnecting', () => {
      this.connections.delete(connection);
      connection.ended();
    });
    connection.watchExpiry(() => connection.close(new SyncError('token_expired', 'The sign-in has expired.')));
    this.frames.attach(socket, connection);
    connection.setPace(this.ackEveryMs);
    // Several may have been admitted at once.
    if (this.devicesOf(connection) >= this.options.devicesPerUser) connection.close(this.tooManyDevices());
    // The session may have ended, and rights may have changed, between asking and now: nothing is sent before that is known.
    else void this.recheck(connection, true);
  }

  @OnFact('auth.user_logged_out')
  loggedOut({ sessionId }: Facts['auth.user_logged_out']): void {
    this.endSession(sessionId);
    this.link.tell({ kind: 'session', sessionId });
  }

  @OnFact('auth.permission_updated')
  async permissionUpdated({ userId }: Facts['auth.permission_updated']): Promise<void> {
    this.link.tell({ kind: 'access', userId });
    await this.recheckUser(userId);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.draining = true;
    clearInterval(this.round);
    for (const connection of this.connections) {
      connection.emit('draining', { retryAfterMs: Math.round(Math.random() * drainSpreadMs) });
      connection.close(new SyncError('shutting_down', 'The server is stopping.'));
    }
    await this.hubs.stop();
  }

  private async admit(socket: Socket): Promise<Admitted> {
    if (this.draining) throw new SyncError('shutting_down', 'The server is stopping.');
    const { token, deviceId, durable, accept } = readHandshake(socket.handshake.auth);
    const principal = await this.bus.request('auth.token_presented', { token });
    const access = await askAccess(this.bus, principal.userId);
    if (this.devicesOf({ principal, deviceId }) >= this.options.devicesPerUser) throw this.tooManyDevices();
    return { token, principal, access, deviceId, durable, acceptsDeflate: accept.includes('deflate') };
  }

  /** How many other devices of the same user are connected. */
  private devicesOf({ principal, deviceId }: Pick<Connection, 'principal' | 'deviceId'>): number {
    return this.connections.of(principal.userId).filter((connection) => connection.deviceId !== deviceId).length;
  }

  private tooManyDevices(): SyncError {
    return new SyncError('too_many_devices', 'Too many of your devices are connected.', {
      limit: this.options.devicesPerUser,
    });
  }

  /** A device has one connection: a half-open earlier one would otherwise linger until its ping fails. */
  private replaceEarlier({ principal, deviceId }: Connection): void {
    for (const earlier of this.connections.of(principal.userId)) {
      if (earlier.deviceId === deviceId) earlier.close(new SyncError('replaced', 'This device has connected once more.'));
    }
  }

  private endSession(sessionId: string): void {
    for (const connection of this.connections) {
      if (connection.principal.sessionId === sessionId) {
        connection.close(new SyncError('session_ended', 'You have signed out.'));
      }
    }
  }

  private async recheckUser(userId: string): Promise<void> {
    await Promise.all(this.connections.of(userId).map((connection) => this.recheck(connection, true)));
  }

  /**
   * Asks anew whether the session goes on and what it may follow, and ends what does not.
   * @param isNews something is known to have changed: nothing is sent until the answer is there
   */
  private async recheck(connection: Connection, isNews: boolean): Promise<void> {
    if (isNews) connection.hold();
    // Answers may overtake one another; only that to the latest question counts.
    const turn = connection.beginRecheck();
    let access: Access;
    try {
      await this.bus.request('auth.token_presented', { token: connection.token });
      access = await askAccess(this.bus, connection.principal.userId);
    } catch (error) {
      const refusal = toWireError(error);
      // Who cannot be asked just now is asked again in the next round; a held connection stays held.
      if (!refusal.retryable) connection.close(refusal);
      return;
    }
    if (!connection.endRecheck(turn)) return;
    connection.access = access;
    for (const channel of connection.readers.keys()) {
      if (access.channels.has(channel)) continue;
      connection.endChannel(channel);
      connection.emit('revoked', { channel });
    }
    connection.release();
  }

  /** An acknowledgement costs more than a frame: however many devices there are, a node gets so many a second. */
  private get ackEveryMs(): number {
    return Math.max(this.options.ackEveryMs, Math.ceil((this.connections.size / this.options.acksPerSecond) * 1_000));
  }

  private lookOver(): void {
    const { ackEveryMs } = this;
    for (const connection of this.connections) {
      if (connection.window.silentMs > this.options.ackTimeoutMs) {
        this.logger.warn(`Device ${connection.deviceId} acknowledges nothing; disconnecting it`);
        connection.close(new SyncError('ack_timeout', 'Nothing was acknowledged for too long.'));
      } else {
        if (connection.isRecheckDue(this.options.recheckMs)) void this.recheck(connection, false);
        connection.setPace(ackEveryMs);
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
