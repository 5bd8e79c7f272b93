import type { Message } from '@soleil/sync-protocol';

/** The newest messages of one channel, in memory: most readers that come back missed only these. */
export class Tail {
  private messages: Message[] = [];

  constructor(private readonly capacity: number) {}

  /** Messages must follow the ones before without a hole. */
  push(messages: readonly Message[]): void {
    this.messages.push(...messages);
    // Cut in steps, so that a full tail does not move its whole array at every message.
    if (this.messages.length > this.capacity * 2) this.messages = this.messages.slice(-this.capacity);
  }

  clear(): void {
    this.messages = [];
  }

  /** The messages after `offset`, at most `limit`; null when the tail does not reach back that far. */
  after(offset: number, limit: number): Message[] | null {
    const first = this.messages[0];
    if (!first || offset + 1 < first.offset) return null;
    const start = offset + 1 - first.offset;
    return this.messages.slice(start, start + limit);
  }
}
