import type { WireError } from '@soleil/sync-protocol';
import type { Clock } from './clock.js';
import type { SyncSocket } from './sync-socket.js';

/** Of a channel's files, by key: the SHA-256 of bytes that are on this device and were verified; null for one that is not here. */
export type Holdings = ReadonlyMap<string, string | null>;

/** In one frame, at most. */
const itemsPerFrame = 100;
/** A server may forget a device that was away for longer than this. */
const rememberedMs = 30 * 60_000;

/**
 * Tells the server which files are here. Each thing is said once, and again only where the answer did not come, or the
 * server may have forgotten it. One frame is on its way at a time; what changes meanwhile goes with the next.
 */
export class Reporter {
  readonly #wanted = new Map<string, Holdings>();
  /** What the server has confirmed. */
  readonly #told = new Map<string, Map<string, string | null>>();
  #socket: Pick<SyncSocket, 'ask'> | null = null;
  #leftAt: number;
  #isSending = false;

  /** @param retryLater calls back after a delay fit for asking a server again, while the connection lasts */
  constructor(
    private readonly clock: Clock,
    private readonly retryLater: (error: WireError, call: () => void) => void,
  ) {
    this.#leftAt = clock.now();
  }

  report(channel: string, holdings: Holdings): void {
    this.#wanted.set(channel, holdings);
    void this.#send();
  }

  /** The channel is none of ours any more. */
  drop(channel: string): void {
    this.#wanted.delete(channel);
    this.#told.delete(channel);
  }

  /** The server's history is another one, and with it what it was told. */
  forgetTold(channel: string): void {
    this.#told.delete(channel);
    void this.#send();
  }

  attach(socket: Pick<SyncSocket, 'ask'>): void {
    if (this.clock.now() - this.#leftAt > rememberedMs) this.#told.clear();
    this.#socket = socket;
    void this.#send();
  }

  detach(): void {
    this.#socket = null;
    this.#leftAt = this.clock.now();
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let due = this.#due(); due !== null && this.#socket !== null; due = this.#due()) {
        const answer = await this.#socket.ask('have', due);
        if (answer.ok) this.#confirm(due);
        else if (answer.error.retryable) return this.retryLater(answer.error, () => void this.#send());
        // A server of before that knows no such event, or a right that is gone: there is nobody to tell.
        else this.drop(due.channel);
      }
    } catch {
      // The connection ended: the next one says it again.
    } finally {
      this.#isSending = false;
    }
  }

  #confirm({ channel, items }: Report): void {
    const told = this.#told.get(channel) ?? new Map<string, string | null>();
    for (const { key, hash } of items) told.set(key, hash);
    this.#told.set(channel, told);
  }

  #due(): Report | null {
    for (const [channel, wanted] of this.#wanted) {
      const told = this.#told.get(channel);
      const items = [...wanted].filter(([key, hash]) => told?.get(key) !== hash).map(([key, hash]) => ({ key, hash }));
      for (const [key, hash] of told ?? []) if (hash !== null && !wanted.has(key)) items.push({ key, hash: null });
      if (items.length > 0) return { channel, items: items.slice(0, itemsPerFrame) };
    }
    return null;
  }
}

interface Report {
  channel: string;
  items: { key: string; hash: string | null }[];
}
