import type { Message, Position, WireError } from '@soleil/sync-protocol';
import type { Row } from './store.js';

/** Under what circumstances a message came. */
export interface Circumstances {
  /** Its channel was at the head: this has just happened. False while catching up. */
  readonly live: boolean;
  /** It belongs to the first state this device gets of the channel (or gets anew after a reset): news to nobody. */
  readonly initial: boolean;
}

/**
 * `live`: everything up to the head is here and new messages come by themselves. `catching_up`: connected, not there yet.
 * `stale`: not connected, or not followed; rows are as of the position. `revoked`: the right to it is gone, and so are the rows.
 */
export type ChannelState = 'catching_up' | 'live' | 'stale' | 'revoked';

/** One channel as it may be shown; the same object until something changes. */
export interface ChannelSnapshot {
  readonly channel: string;
  /** Keyed messages by their key. What was deleted is absent. */
  readonly rows: ReadonlyMap<string, Row>;
  /** What the rows reflect; null before the first frame. */
  readonly position: Position | null;
  readonly state: ChannelState;
  /** Why the server would not start it; null otherwise. */
  readonly error: WireError | null;
}

export const emptySnapshot = (channel: string): ChannelSnapshot => ({
  channel,
  rows: new Map(),
  position: null,
  state: 'stale',
  error: null,
});

/** What observers see of a channel. Messages are staged as they are stored and shown at the end of their step, as one. */
export class ChannelView {
  #rows = new Map<string, Row>();
  #snapshot: ChannelSnapshot;
  /** `#rows` has moved on since the snapshot; copied when somebody looks, not with every frame of a burst. */
  #outdated = false;
  #staged: { message: Message; circumstances: Circumstances }[] = [];
  #replacing = false;

  constructor(
    channel: string,
    private readonly observers: { message(message: Message, circumstances: Circumstances): void; changed(): void },
  ) {
    this.#snapshot = emptySnapshot(channel);
  }

  get snapshot(): ChannelSnapshot {
    if (this.#outdated) {
      this.#snapshot = { ...this.#snapshot, rows: new Map(this.#rows) };
      this.#outdated = false;
    }
    return this.#snapshot;
  }

  get state(): ChannelState {
    return this.#snapshot.state;
  }

  /** What is shown belongs to a history that is over, and waits for the new one. */
  get isReplacing(): boolean {
    return this.#replacing;
  }

  /** What the store had. */
  load(rows: Map<string, Row>, position: Position | null): void {
    this.#staged = [];
    this.#replacing = false;
    this.#show(rows, position);
  }

  stage(messages: readonly Message[], circumstances: Circumstances): void {
    for (const message of messages) this.#staged.push({ message, circumstances });
  }

  /** From here on a new history is staged; the old rows stay in sight until it is complete. */
  replace(): void {
    this.#staged = [];
    this.#replacing = true;
  }

  /** Ends a step: what was staged is shown and told. */
  publish(position: Position | null): void {
    if (this.#staged.length === 0 && !this.#replacing && position?.offset === this.#snapshot.position?.offset) return;
    const staged = this.#staged;
    const rows = this.#replacing ? new Map<string, Row>() : this.#rows;
    this.#staged = [];
    this.#replacing = false;
    for (const { message } of staged) applyTo(rows, message);
    this.#show(rows, position, () => {
      for (const { message, circumstances } of staged) this.observers.message(message, circumstances);
    });
  }

  /** Nothing is left to show. */
  clear(state: 'stale' | 'revoked'): void {
    this.#staged = [];
    this.#replacing = false;
    this.#snapshot = { ...this.#snapshot, state, error: null };
    this.#show(new Map(), null);
  }

  setState(state: ChannelState, error: WireError | null = null): void {
    if (state === this.#snapshot.state && error === this.#snapshot.error) return;
    this.#snapshot = { ...this.#snapshot, state, error };
    this.observers.changed();
  }

  #show(rows: Map<string, Row>, position: Position | null, tell?: () => void): void {
    this.#rows = rows;
    this.#snapshot = { ...this.#snapshot, position };
    this.#outdated = true;
    tell?.();
    this.observers.changed();
  }
}

const applyTo = (rows: Map<string, Row>, message: Message): void => {
  const { key, type, data, offset, id, at } = message;
  if (key === undefined) return;
  if (data === null) rows.delete(key);
  else rows.set(key, { key, type, data, offset, id, at });
};
