import type { Message, SyncClient } from '@soleil/sync-client';

/** Something that changed since this device last had everything. */
export interface RecentChange {
  readonly channel: string;
  readonly message: Message;
}

const mostChanges = 200;

/** What arrived of late, the newest first, one for each key. The first state of a channel is no change. */
export class RecentChanges {
  #changes: readonly RecentChange[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(client: Pick<SyncClient, 'onMessage'>) {
    client.onMessage((channel, message, { initial }) => {
      if (initial) return;
      const others = this.#changes.filter((change) => keyOf(change.message) !== keyOf(message));
      this.#set([{ channel, message }, ...others].slice(0, mostChanges));
    });
  }

  /** The same array until something changes. */
  get changes(): readonly RecentChange[] {
    return this.#changes;
  }

  /** @returns what ends it */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Somebody has seen it. @param key of the message, or its id where it has none */
  dismiss = (key: string): void => {
    if (this.#changes.some((change) => keyOf(change.message) === key)) {
      this.#set(this.#changes.filter((change) => keyOf(change.message) !== key));
    }
  };

  dismissAll = (): void => {
    if (this.#changes.length > 0) this.#set([]);
  };

  #set(changes: readonly RecentChange[]): void {
    this.#changes = changes;
    for (const listener of [...this.#listeners]) listener();
  }
}

const keyOf = (message: Message): string => message.key ?? message.id;

const collected = new WeakMap<SyncClient, RecentChanges>();

/** The one collection of this client; it begins when it is first asked for. */
export const recentChangesOf = (client: SyncClient): RecentChanges => {
  let changes = collected.get(client);
  if (changes === undefined) collected.set(client, (changes = new RecentChanges(client)));
  return changes;
};
