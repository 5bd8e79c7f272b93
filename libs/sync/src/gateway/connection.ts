import type { Principal } from '@soleil/bus';
import { codes, isCode, type DownEvent, type SyncError, type WireError } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io';
import type { WeighedFrame } from '../fan-out/channel-hub.js';
import type { Reader, ReaderSocket } from '../fan-out/reader.js';
import { Window } from '../fan-out/window.js';
import type { Access } from './access.js';

/** One device, connected. */
export class Connection implements ReaderSocket {
  readonly window: Window;
  readonly readers = new Map<string, Reader>();
  /** Channels whose subscription is being set up, each with a ticket that a later subscription does not have. */
  readonly opening = new Map<string, symbol>();
  readonly connectedAt = new Date();
  lastSeenAt = new Date();
  /** Counts the questions for this connection's rights. */
  accessTurn = 0;
  private expiry: NodeJS.Timeout | null = null;

  constructor(
    private readonly socket: Socket,
    readonly principal: Principal,
    readonly deviceId: string,
    /** Replaced when memberships change. */
    public access: Access,
    windowBytes: number,
  ) {
    this.window = new Window(windowBytes, Date.now);
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

  send({ frame }: WeighedFrame): void {
    this.socket.emit('messages', frame);
  }

  joinRoom(channel: string): void {
    void this.socket.join(channel);
  }

  leaveRoom(channel: string): void {
    void this.socket.leave(channel);
  }

  readFailed(): void {
    // The log cannot be read just now; the gateway's next round lets the reader try again.
  }

  emit(event: DownEvent, frame: unknown): void {
    this.socket.emit(event, frame);
  }

  /** Lets every reader that has room go on. */
  pumpAll(): void {
    for (const reader of this.readers.values()) reader.pump();
  }

  endChannel(channel: string): void {
    this.readers.get(channel)?.close();
    this.readers.delete(channel);
  }

  /** Says why, then disconnects. */
  close(error: SyncError | WireError): void {
    const wire = 'toWire' in error ? error.toWire() : error;
    this.socket.emit('closing', { error: wire, reconnect: isCode(wire.code) && codes[wire.code].reconnect });
    this.socket.disconnect(true);
  }

  /** The socket is gone. */
  ended(): void {
    if (this.expiry) clearTimeout(this.expiry);
    for (const channel of [...this.readers.keys()]) this.endChannel(channel);
  }
}
