import type { Bus, Principal } from '@soleil/bus';
import { codes, isCode, type DownEvent, type Pace, type Signalled, SyncError, type WireError } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io';
import type { WeighedFrame } from '../fan-out/frames.js';
import type { PositionLoss } from '../fan-out/history.js';
import type { Reader, ReaderSocket } from '../fan-out/reader.js';
import type { WeighedSignal } from '../signals/weighed-signal.js';
import { Window } from '../fan-out/window.js';
import type { Access } from './access.js';
import type { DeviceRecord } from '../ledger/device-record.js';
import { monotonicMs } from '../monotonic.js';
import { Entitlement, type Entitled } from './entitlement.js';
import type { FrameBudget } from './frame-budget.js';
import type { FrameSender } from './frame-sender.js';
import { Line } from './line.js';
import { SignalLane, type SignalLine } from '../signals/signal-lane.js';
import { toWireError } from './wire-error.js';

/** Who was let in, and with what. */
export interface Admitted {
  token: string;
  principal: Principal;
  deviceId: string;
  deviceName: string | null;
  /** Its store outlives the page. */
  durable: boolean;
  /** Takes large frames compressed. */
  acceptsDeflate: boolean;
}

/** What one connection may cost, in bytes. */
export interface ConnectionLimits {
  /** Sent and not acknowledged, or not taken by the line, before the frame that goes beyond it. */
  windowBytes: number;
  /** Held for its line, answers and all. */
  unsentBytes: number;
  /** Signals that wait until its line takes them. */
  signalBytes: number;
}

/** One device, connected. */
export class Connection implements ReaderSocket, Entitled, SignalLine {
  readonly window: Window;
  readonly readers = new Map<string, Reader>();
  /** Channels whose subscription is being set up, each with a ticket that a later subscription does not have. */
  readonly opening = new Map<string, symbol>();
  readonly connectedAt = new Date();
  lastSeenAt = new Date();
  readonly token: string;
  readonly principal: Principal;
  readonly deviceId: string;
  private readonly acceptsDeflate: boolean;
  readonly entitlement: Entitlement;
  private readonly signals: SignalLane;
  private readonly line: Line;
  /** Nothing is sent: whether it still may be is being asked. */
  isHeld = false;
  /** A right of its user has ended, or begun: what is signalled until it is known which, nobody has a right to. */
  private hasOtherRights = false;
  private channels: ReadonlySet<string> = new Set();
  private ackEveryMs = 0;
  /** The pace the client was last told. */
  private told: Pace | null = null;
  private expiry: NodeJS.Timeout | null = null;

  constructor(
    private readonly socket: Socket,
    private readonly frames: FrameSender,
    /** What the ledger notes of this device. */
    readonly record: DeviceRecord,
    readonly budget: FrameBudget,
    bus: Bus,
    { token, principal, deviceId, acceptsDeflate }: Admitted,
    { windowBytes, unsentBytes, signalBytes }: ConnectionLimits,
    /** From 0 to 1, another one for each connection: what all of them do now and then, they do not do together. */
    private readonly spread: number,
  ) {
    this.token = token;
    this.acceptsDeflate = acceptsDeflate;
    this.principal = principal;
    this.deviceId = deviceId;
    this.entitlement = new Entitlement(bus, this);
    this.signals = new SignalLane(this, signalBytes);
    this.line = new Line(
      socket.conn,
      unsentBytes,
      () => this.goOn(),
      () => this.close(takesNothing()),
    );
    this.window = new Window(windowBytes, monotonicMs, () => this.line.unsentBytes);
  }

  get isOpen(): boolean {
    return this.socket.connected;
  }

  /** @param onExpiry called when the token that opened this connection runs out */
  watchExpiry(onExpiry: () => void): void {
    // A timer holds 2^31 - 1 ms at most; a connection that lives longer is looked at again then.
    const waitMs = Math.min(Date.parse(this.principal.expiresAt) - Date.now(), 2 ** 31 - 1);
    this.expiry = setTimeout(
      () => (Date.parse(this.principal.expiresAt) <= Date.now() ? onExpiry() : this.watchExpiry(onExpiry)),
      Math.max(waitMs, 0),
    );
  }

  send(weighed: WeighedFrame): void {
    this.frames.send(this.socket, weighed, this.acceptsDeflate);
  }

  signal(weighed: WeighedSignal): void {
    if (!this.hasOtherRights) this.signals.send(weighed);
  }

  /** A line that takes no bytes, or a device that does not acknowledge, gets signals when it does again. */
  get isFree(): boolean {
    return !this.isHeld && !this.window.isFull && this.line.isReady;
  }

  sendSignal(frame: Signalled): void {
    this.emit('signal', frame);
  }

  windowFilled(): void {
    for (const reader of this.readers.values()) reader.stepBack();
  }

  reset(channel: string, epoch: string, reason: PositionLoss): void {
    this.record.subscribed(channel, 0);
    this.emit('reset', { channel, epoch, reason });
  }

  readFailed(): void {
    // The log cannot be read just now; the gateway's next round lets the reader try again.
  }

  emit(event: DownEvent, frame: unknown): void {
    this.socket.emit(event, frame);
  }

  /** Takes every reader out of its room, and lets none go on. Their cursors stay: nothing is lost by it. */
  hold(): void {
    this.isHeld = true;
    for (const reader of this.readers.values()) reader.stepBack();
  }

  /**
   * Resolves when it is known what it may follow: at once, but while it is held. Being asked now and then whether that is still
   * so, it goes on by the last answer.
   * @throws what the question failed with
   */
  async released(): Promise<void> {
    if (this.isHeld) await this.entitlement.pending;
  }

  /** By the newest answer; nothing while {@link isHeld}. */
  mayFollow(channel: string): boolean {
    return this.channels.has(channel);
  }

  async isSettled({ channels }: Access): Promise<void> {
    const kept = [...this.readers].filter(([channel]) => channels.has(channel));
    await Promise.all(kept.map(([, reader]) => reader.rightIsSettled(this.principal.userId)));
  }

  entitled({ channels }: Access): void {
    if (!this.isOpen) return;
    this.channels = channels;
    for (const [channel, reader] of this.readers) {
      if (channels.has(channel)) {
        reader.rightGranted(this.principal.userId);
      } else {
        this.endChannel(channel);
        // It forgets what it had of the channel: should the right come back before the device, it knows nothing.
        this.record.subscribed(channel, 0);
        this.emit('revoked', { channel });
      }
    }
    this.isHeld = false;
    this.hasOtherRights = false;
    this.goOn();
  }

  refused(error: unknown): void {
    const refusal = toWireError(error);
    // Who cannot be asked just now is asked again; a held connection stays held.
    if (!refusal.retryable) this.close(refusal);
  }

  askAnew(): void {
    this.entitlement.renew().catch(() => undefined);
  }

  /** A right of its user has just ended, or begun. */
  rightsChanged(): void {
    this.hasOtherRights = true;
    this.askAnew();
  }

  /** Lets readers go on as far as there is room, those first that have the least to tell: what is live does not wait for what is late. */
  pumpAll(): void {
    const readers = [...this.readers.values()].filter((reader) => !reader.isInRoom);
    for (const reader of readers.sort((one, other) => one.behind - other.behind)) reader.pump();
  }

  acknowledged(reader: Reader, offset: number): void {
    const { channel } = reader.hub;
    this.window.acknowledged(channel, offset);
    this.record.acknowledged(channel, reader.acknowledged(offset));
    this.goOn();
    this.tellPace();
  }

  /** @param ackEveryMs what devices are to do on the average */
  setPace(ackEveryMs: number): void {
    this.ackEveryMs = Math.round(ackEveryMs * (0.75 + this.spread / 2));
    this.tellPace();
  }

  /** A session's end and a right's are told in the log; asking is the safety net. @param everyMs at most */
  recheck(everyMs: number): void {
    this.entitlement.recheck(everyMs * (0.5 + this.spread / 2));
  }

  /** There may be room again. */
  private goOn(): void {
    this.pumpAll();
    this.signals.flush();
  }

  /** Tells the client how often to acknowledge, where that is more often, or less by much. */
  private tellPace(): void {
    const { ackEveryMs } = this;
    const ackEveryBytes = Math.ceil(this.window.limitBytes / (this.isLive ? 2 : 8));
    const { told } = this;
    if (told && isNear(told.ackEveryMs, ackEveryMs) && isEnough(told.ackEveryBytes, ackEveryBytes)) return;
    this.told = { ackEveryMs, ackEveryBytes };
    this.emit('pace', this.told);
  }

  /** It has every channel as it comes: nobody waits for an acknowledgement before the window is full. */
  private get isLive(): boolean {
    return this.readers.size > 0 && [...this.readers.values()].every((reader) => reader.isInRoom);
  }

  endChannel(channel: string): void {
    this.readers.get(channel)?.close();
    this.readers.delete(channel);
    this.signals.forget(channel);
  }

  /** Says why, then disconnects. */
  close(error: SyncError | WireError): void {
    const wire = 'toWire' in error ? error.toWire() : error;
    if (wire.code === 'session_ended') this.record.signedOut();
    this.socket.emit('closing', { error: wire, reconnect: isCode(wire.code) && codes[wire.code].reconnect });
    this.socket.disconnect(true);
    this.line.end();
  }

  /** The socket is gone. */
  ended(): void {
    if (this.expiry) clearTimeout(this.expiry);
    this.record.left();
    for (const channel of [...this.readers.keys()]) this.endChannel(channel);
  }
}

const takesNothing = (): SyncError =>
  new SyncError('rate_limited', 'More was asked for than was taken off the line.', { retryAfterMs: 1_000 });

const isNear = (one: number, other: number): boolean => one < other * 2 && other < one * 2;
const isEnough = (told: number, wanted: number): boolean => told <= wanted && wanted < told * 2;
