import type { Message } from '@soleil/sync-protocol';
import { bytesOf } from './json.js';

/** Of JSON: a thousand file updates are half of it. What is kept of a message is about twice its JSON. */
const mostBytes = 4 * 1024 * 1024;

/** The newest messages of one channel, in memory: most readers that come back missed only these. */
export class Tail {
  private messages: Message[] = [];
  private bytes = 0;

  /** @param capacity messages, as far as they weigh no more than 4 MiB together; twice of either for a moment */
  constructor(private readonly capacity: number) {}

  /** Messages must follow the ones before without a hole. */
  push(messages: readonly Message[]): void {
    this.messages.push(...messages);
    for (const message of messages) this.bytes += bytesOf(message);
    // Cut in steps, so that a full tail does not move its whole array at every message.
    if (this.messages.length > this.capacity * 2 || this.bytes > mostBytes * 2) this.cut();
  }

  clear(): void {
    this.messages = [];
    this.bytes = 0;
  }

  /** The messages after `offset`, at most `limit`; null when the tail does not reach back that far. */
  after(offset: number, limit: number): Message[] | null {
    const first = this.messages[0];
    if (!first || offset + 1 < first.offset) return null;
    const start = offset + 1 - first.offset;
    return this.messages.slice(start, start + limit);
  }

  /** Keeps the newest, one at least. */
  private cut(): void {
    let first = this.messages.length - 1;
    let bytes = bytesOf(this.messages[first]!);
    const least = Math.max(this.messages.length - this.capacity, 0);
    while (first > least && bytes + bytesOf(this.messages[first - 1]!) <= mostBytes)
      bytes += bytesOf(this.messages[--first]!);
    this.messages = this.messages.slice(first);
    this.bytes = bytes;
  }
}
