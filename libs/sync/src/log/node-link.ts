import { randomInt } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Position, Signalled } from '@soleil/sync-protocol';
import type { DataSource, EntityManager } from 'typeorm';
import { queryWithin } from './borrowed-runner.js';
import type { Control } from './control-message.js';
import { LinkConnection } from './link-connection.js';
import { Wake } from './wake.js';

/** What one node tells the others. All of it is a hint: what is lost is found by looking at the database. */
export type NodeNews =
  /** Something was published by a process that is not the leader. */
  | { kind: 'outbox' }
  /** New heads of channels; null: too many to list, look at all. */
  | { kind: 'heads'; heads: Record<string, Position> | null }
  /** What has just committed ends a right, or may do so; null: there was no room to say whose. */
  | { kind: 'control'; control: Control | null }
  /** Worth nothing later: not a hint, and nobody looks for what is lost. */
  | { kind: 'signals'; batch: number; signals: readonly Signalled[] }
  /** An operation was enqueued. */
  | { kind: 'queue' }
  /** An operation was cancelled: who works on it may stop. */
  | { kind: 'cancelled'; operationId: string };

const postgresChannel = 'soleil_sync';
/** The first half of the lock by which a process shows that it lives; the second is its number. */
export const presenceLocks = 0x5011;
/** Postgres takes 8,000 bytes at most. */
const payloadBytes = 7_500;
/** A connection that could not be made is tried again after this time, … */
const reconnectMs = 500;
/** … or after this, where something waits for it. */
const soonestMs = 50;
/** A hint that could not be sent by then is given up. */
const hintWithinMs = 5_000;

/** Sends so many notifications in one transaction. A connection that fails at it is closed before this rejects. */
export type Dispatch = (batch: number, notifications: readonly (readonly Signalled[])[]) => Promise<void>;

/** Who tells something that must keep its place among all news, those of this node too. */
export interface InOrder {
  /** An attempt to connect begins; there is no connection. */
  attempting(): void;
  /** It has failed. */
  failed(): void;
  /** There is a connection, and this node has taken notice of what it may have missed. */
  opened(dispatch: Dispatch): void;
  /** There is none any more. */
  closed(): void;
  /** All news of what had committed before this batch has been told here. */
  cameBack(batch: number): void;
}

/** Null where it is too large. @param node who tells; null: no node is left out */
function payloadOf(node: string | null, news: NodeNews): string | null {
  const payload = JSON.stringify({ node, news });
  return Buffer.byteLength(payload) > payloadBytes ? null : payload;
}

/**
 * Carries hints between the processes that share one database, by LISTEN and NOTIFY: never inside a business transaction,
 * where it would serialize commits, but for {@link tellControl}.
 */
export class NodeLink {
  private readonly logger = new Logger('NodeLink');
  /**
   * This process. As long as its connection stands, it holds the lock ({@link presenceLocks}, this number): Postgres lets go of it
   * at once when the process dies, however it dies.
   */
  readonly number = randomInt(2 ** 31);
  private readonly listeners = new Set<(news: NodeNews) => void>();
  private readonly reconnected = new Set<() => void>();
  private connection: LinkConnection | null = null;
  private running: Promise<void> | null = null;
  private readonly wake = new Wake();
  private stopping = new AbortController();

  /** What is on its way, and whether it is to be told again after that. */
  private readonly telling = new Map<string, boolean>();
  private readonly heads = new Map<string, Position>();
  private sending: Promise<void> | null = null;
  private inOrder: InOrder | null = null;

  constructor(
    private readonly database: DataSource,
    private readonly node: string,
  ) {}

  /** News of other nodes, and not this node's own, but for `control`. */
  onNews(listener: (news: NodeNews) => void): void {
    this.listeners.add(listener);
  }

  /** News may have been missed: look at everything once. Called before any later news is told. */
  onReconnected(listener: () => void): void {
    this.reconnected.add(listener);
  }

  /** Whether the others see that this process lives. */
  get isPresent(): boolean {
    return this.connection !== null;
  }

  /** One, and before {@link start}. */
  keepInOrder(sender: InOrder): void {
    this.inOrder = sender;
  }

  /** Resolves when it has been tried once. */
  async start(): Promise<void> {
    if (this.running) return;
    this.stopping = new AbortController();
    await new Promise<void>((tried) => {
      this.running = this.stayConnected(tried);
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake.notify();
    this.connection?.end();
    await Promise.all([this.sending, this.running]);
    this.running = null;
  }

  /** Something waits for a connection. */
  reconnect(): void {
    this.wake.notify();
  }

  /** Told after what it speaks of was committed. Never throws: it is a hint. The same again, while one is on its way, is told once more. */
  tell(news: NodeNews): void {
    const name = JSON.stringify(news);
    if (this.telling.has(name)) this.telling.set(name, true);
    else void this.tellOn(name, news);
  }

  /** Like {@link tell}, gathered while an earlier one is on its way. */
  tellHeads(heads: Iterable<[string, Position]>): void {
    for (const [channel, head] of heads) this.heads.set(channel, head);
    if (this.heads.size > 0) this.sending ??= this.sendHeads();
  }

  /**
   * Tells all nodes, this one too, when `transaction` commits: before any signal that is sent after that. The one notification in
   * a business transaction: rights change rarely.
   */
  async tellControl(control: Control, transaction: EntityManager): Promise<void> {
    const payload = payloadOf(null, { kind: 'control', control }) ?? payloadOf(null, { kind: 'control', control: null });
    await transaction.query('select pg_notify($1, $2)', [postgresChannel, payload]);
  }

  private async tellOn(name: string, news: NodeNews): Promise<void> {
    do {
      this.telling.set(name, false);
      await this.notify(news);
    } while (this.telling.get(name));
    this.telling.delete(name);
  }

  private async sendHeads(): Promise<void> {
    try {
      while (this.heads.size > 0) {
        const heads = Object.fromEntries(this.heads);
        this.heads.clear();
        await this.notify({ kind: 'heads', heads });
      }
    } finally {
      this.sending = null;
    }
  }

  private async notify(news: NodeNews): Promise<void> {
    const payload = payloadOf(this.node, news) ?? payloadOf(this.node, { kind: 'heads', heads: null });
    try {
      await queryWithin(this.database, hintWithinMs, 'select pg_notify($1, $2)', [postgresChannel, payload]);
    } catch (error) {
      this.logger.debug(`A hint was not sent: ${(error as Error).message}`);
    }
  }

  private async stayConnected(tried: () => void): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.inOrder?.attempting();
      try {
        await this.connect(tried);
      } catch (error) {
        this.logger.warn(`Not listening for now: ${(error as Error).message}`);
        this.inOrder?.failed();
        tried();
      }
      await pass(soonestMs, undefined, { signal }).catch(() => undefined);
      await this.wake.wait(reconnectMs - soonestMs);
    }
  }

  /** Resolves when the connection has ended. @throws Error when there was none */
  private async connect(opened: () => void): Promise<void> {
    let onEnded: () => void;
    const ended = new Promise<void>((resolve) => (onEnded = resolve));
    const connection = await LinkConnection.open(this.database, {
      // The lock is shared: a session that the network has swallowed may still hold it.
      statements: [`listen ${postgresChannel}`, `select pg_advisory_lock_shared(${presenceLocks}, ${this.number})`],
      onNotification: (payload) => this.receive(payload),
      onEnd: () => {
        this.connection = null;
        this.inOrder?.closed();
        onEnded();
      },
    });
    this.connection = connection;
    // In this turn, before any news is taken: what comes from now on is later than all that was missed.
    for (const listener of this.reconnected) listener();
    // No other connection keeps the place of what it tells among what this one hears.
    this.inOrder?.opened((batch, notifications) => this.dispatch(connection, batch, notifications));
    opened();
    if (this.stopping.signal.aborted) connection.end();
    await ended;
  }

  private async dispatch(connection: LinkConnection, ...[batch, notifications]: Parameters<Dispatch>): Promise<void> {
    const payloads = notifications.map((signals) => payloadOf(this.node, { kind: 'signals', batch, signals }));
    await connection.query('select pg_notify($1, payload) from unnest($2::text[]) payload', [postgresChannel, payloads]);
  }

  /** Whoever may connect to the database may notify. What a node cannot use it does without: it is a hint. */
  private receive(payload: string): void {
    if (!this.connection) return;
    try {
      const { node, news } = JSON.parse(payload) as { node: string | null; news: NodeNews };
      if (node === this.node) return news.kind === 'signals' ? this.inOrder?.cameBack(news.batch) : undefined;
      for (const listener of this.listeners) listener(news);
    } catch (error) {
      this.logger.warn(`A hint is of no use: ${(error as Error).message}`);
    }
  }
}
