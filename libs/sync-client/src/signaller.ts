import type { Signal } from '@soleil/sync-protocol';
import type { SyncSocket } from './sync-socket.js';

/**
 * Sends what is worth nothing later. Of each type and key one signal is on its way; what is said meanwhile waits, the latest
 * only. Without a connection nothing is sent, and nothing is kept.
 */
export class Signaller {
  /** By channel, type and key: what is to follow the one on its way, if anything. */
  readonly #onTheirWay = new Map<string, Signal | null>();
  #socket: Pick<SyncSocket, 'ask'> | null = null;

  attach(socket: Pick<SyncSocket, 'ask'>): void {
    this.#socket = socket;
  }

  detach(): void {
    this.#socket = null;
    this.#onTheirWay.clear();
  }

  send(signal: Signal): void {
    if (this.#socket === null) return;
    const name = JSON.stringify([signal.channel, signal.type, signal.key ?? '']);
    if (this.#onTheirWay.has(name)) this.#onTheirWay.set(name, signal);
    else void this.#send(this.#socket, name, signal);
  }

  async #send(socket: Pick<SyncSocket, 'ask'>, name: string, signal: Signal): Promise<void> {
    this.#onTheirWay.set(name, null);
    try {
      // What a server refuses, it refuses for good or for now: the next one is as good.
      await socket.ask('signal', signal);
    } catch {
      // The connection ended, and with it whatever was to follow.
    }
    if (socket !== this.#socket) return;
    const next = this.#onTheirWay.get(name) ?? null;
    this.#onTheirWay.delete(name);
    if (next !== null) void this.#send(socket, name, next);
  }
}
