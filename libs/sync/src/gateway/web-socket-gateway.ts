import { Inject, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway as Gateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import { Bus, OnFact, type Facts } from '@soleil/bus';
import { handshake, limits, protocolVersion, SyncError, type Handshake } from '@soleil/sync-protocol';
import type { Namespace, Socket } from 'socket.io';
import { Hubs } from '../fan-out/hubs.js';
import { LedgerRecorder } from '../ledger/ledger-recorder.js';
import type { Control } from '../log/control-message.js';
import { NodeLink } from '../log/node-link.js';
import { monotonicMs } from '../monotonic.js';
import type { ResolvedSyncOptions } from '../options.js';
import { SYNC_OPTIONS } from '../tokens.js';
import { unfit } from '../unfit.js';
import { Connection, type Admitted } from './connection.js';
import { Connections } from './connections.js';
import { ClientFrames } from './client-frames.js';
import { FrameBudget, rateLimited } from './frame-budget.js';
import { inTime } from './in-time.js';
import { FrameSender } from './frame-sender.js';
import { toWireError } from './wire-error.js';

/** How often connections are looked over: acknowledgements that are due, readers that stood still. */
const roundMs = 1_000;
/** A quarter more for some, it keeps the ledger accurate to a second. */
const mostAckEveryMs = 800;
/** Devices of a server that stops come back spread over this time. */
const drainSpreadMs = 2_000;

/** The fractional parts of its multiples lie evenly between 0 and 1, however many there are. */
const goldenRatio = (1 + Math.sqrt(5)) / 2;

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
})
export class WebSocketGateway implements OnGatewayInit, OnGatewayConnection, BeforeApplicationShutdown {
  private readonly logger = new Logger('WebSocketGateway');
  private readonly connections = new Connections();
  /** By line, not by connection: who leaves and comes again over the same one has no new budget. */
  private readonly budgets = new WeakMap<Socket['conn'], FrameBudget>();
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
      if (news.kind !== 'control') return;
      if (news.control) this.obey(news.control);
      else for (const connection of this.connections) connection.rightsChanged();
    });
    link.onReconnected(() => this.askAllAnew());
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
    // Engine.IO reads them anew for each connection; the decorator above does not know the options yet.
    const { pingIntervalMs: pingInterval, pingTimeoutMs: pingTimeout } = this.options;
    Object.assign(namespace.server.engine.opts, { pingInterval, pingTimeout });
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
    this.hubs.start({
      obey: (control) => this.obey(control),
    });
  }

  handleConnection(socket: Socket): void {
    const admitted = socket.data as Admitted;
    const { principal, deviceId, deviceName: name, durable } = admitted;
    const { windowBytes, frameBytes } = this.options;
    // The frame that fills the window goes beyond it, and so may answers.
    const beyondBytes = 2 * frameBytes;
    const signalBytes = Math.ceil(windowBytes / 16);
    const ownWindowBytes = Math.max(windowBytes - beyondBytes - signalBytes, Math.ceil(windowBytes / 4));
    const connection = new Connection(
      socket,
      this.sender!,
      this.ledger.connected({ userId: principal.userId, deviceId, name, durable }),
      this.budgetOf(socket),
      this.bus,
      admitted,
      { windowBytes: ownWindowBytes, unsentBytes: ownWindowBytes + beyondBytes, signalBytes },
      (this.connections.everAdded * goldenRatio) % 1,
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
    // The session may have ended since it was asked for.
    else connection.askAnew();
  }

  /** For sessions of whose end Auth tells nothing earlier; of others nothing is left to close. */
  @OnFact('auth.user_logged_out')
  loggedOut({ userId, sessionId }: Facts['auth.user_logged_out']): void {
    const control: Control = { type: 'sync.session_ended', data: { userId, sessionId } };
    this.obey(control);
    this.link.tell({ kind: 'control', control });
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
    this.spend(socket);
    const { token, deviceId, deviceName = null, durable, accept } = readHandshake(socket.handshake.auth);
    const principal = await inTime(this.bus.request('auth.token_presented', { token }));
    if (this.devicesOf({ principal, deviceId }) >= this.options.devicesPerUser) throw this.tooManyDevices();
    return { token, principal, deviceId, deviceName, durable, acceptsDeflate: accept.includes('deflate') };
  }

  /** An attempt to come in is a frame as well: each asks Auth. @throws SyncError `rate_limited` */
  private spend(socket: Socket): void {
    const allowed = this.budgetOf(socket).take('connect');
    if (allowed === 'ok') return;
    if (allowed === null) socket.conn.close();
    throw rateLimited(this.options.framesPerSecond, allowed ?? {});
  }

  private budgetOf({ conn }: Socket): FrameBudget {
    let budget = this.budgets.get(conn);
    if (!budget) this.budgets.set(conn, (budget = new FrameBudget(this.options.framesPerSecond, monotonicMs)));
    return budget;
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

  /** In this turn: who may lose something gets nothing more until it is known what. */
  private obey({ type, data }: Control): void {
    if (type === 'sync.session_ended') this.endSession(data.sessionId);
    else for (const connection of this.connections.of(data.userId)) connection.rightsChanged();
  }

  private askAllAnew(): void {
    for (const connection of this.connections) connection.askAnew();
  }

  private endSession(sessionId: string): void {
    for (const connection of this.connections) {
      if (connection.principal.sessionId === sessionId) {
        connection.close(new SyncError('session_ended', 'You have signed out.'));
      }
    }
  }

  /** An acknowledgement costs more than a frame: the more devices there are, the less often they acknowledge. */
  private get ackEveryMs(): number {
    const forAllMs = Math.ceil((this.connections.size / this.options.acksPerSecond) * 1_000);
    return Math.max(this.options.ackEveryMs, Math.min(forAllMs, mostAckEveryMs));
  }

  private lookOver(): void {
    const { ackEveryMs } = this;
    for (const connection of this.connections) {
      if (connection.window.silentMs > this.options.ackTimeoutMs) {
        this.logger.warn(`Device ${connection.deviceId} acknowledges nothing; disconnecting it`);
        connection.close(new SyncError('ack_timeout', 'Nothing was acknowledged for too long.'));
      } else {
        connection.recheck(this.options.recheckMs);
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
  if (!parsed.success) throw unfit('handshake_invalid', 'The handshake', parsed.error);
  return parsed.data;
}
