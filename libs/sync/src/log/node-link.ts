import { randomInt } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Position, Signalled } from '@soleil/sync-protocol';
import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { queryWithin } from './borrowed-runner.js';
import type { Control } from './control-message.js';
import { SignalPost } from './signal-post.js';

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
const reconnectMs = 500;
/** Nothing may come for hours, so the connection that listens is asked this often whether it lives, … */
const probeEveryMs = 5_000;
/** … and is given up when it does not answer for this long. */
const answerWithinMs = 5_000;

type Client = PoolClient & { end(): Promise<void> };

/** Null where it is too large. @param node who tells; null: no node is left out */
function payloadOf(node: string | null, news: NodeNews): string | null {
  const payload = JSON.stringify({ node, news });
  return Buffer.byteLength(payload) > payloadBytes ? null : payload;
}

const impatient = (text: string) => ({ text, query_timeout: answerWithinMs });

/**
 * Carries hints between the processes that share one database, by LISTEN and NOTIFY on connections of its own: never
 * inside a business transaction, where it would serialize commits.
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
  private runner: QueryRunner | null = null;
  private reconnect: NodeJS.Timeout | null = null;
  private probe: NodeJS.Timeout | null = null;
  private stopped = false;

  /** What is on its way, and whether it is to be told again after that. */
  private readonly telling = new Map<string, boolean>();
  private readonly heads = new Map<string, Position>();
  private sending: Promise<void> | null = null;
  private readonly post = new SignalPost(payloadBytes * 0.9);

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
    return this.runner !== null;
  }

  async start(): Promise<void> {
    await this.listen();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopProbing();
    if (this.reconnect) clearTimeout(this.reconnect);
    await Promise.all([this.sending, this.post.stop()]);
    const runner = this.runner;
    this.runner = null;
    // A pooled connection that still listens would be handed to somebody else.
    if (runner) {
      await runner.query('unlisten *; select pg_advisory_unlock_all()').catch(() => undefined);
      await runner.release();
    }
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

  /**
   * Tells the other nodes, and calls `deliver` when all news of what had committed before has been told here. While earlier
   * signals are on their way, the latest of each name waits. Without a database `deliver` is called all the same.
   */
  tellSignal(signal: Signalled, deliver: () => void): void {
    this.post.send(signal, deliver);
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
      await queryWithin(this.database, answerWithinMs, 'select pg_notify($1, $2)', [postgresChannel, payload]);
    } catch (error) {
      this.logger.debug(`A hint was not sent: ${(error as Error).message}`);
    }
  }

  private async listen(): Promise<void> {
    const runner = this.database.createQueryRunner();
    let client: Client | null = null;
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      this.lost(runner);
    };
    try {
      client = (await runner.connect()) as Client;
      client.on('notification', (notification) => this.receive(notification.payload ?? ''));
      client.once('end', over);
      await client.query(impatient(`listen ${postgresChannel}`));
      // Shared: a session that the network has swallowed may still hold it.
      await client.query(impatient(`select pg_advisory_lock_shared(${presenceLocks}, ${this.number})`));
      this.opened(runner, client);
    } catch (error) {
      this.logger.warn(`Not listening for now: ${(error as Error).message}`);
      // Given back, it might be lent to somebody else: dead, or still listening.
      client?.end().catch(() => undefined);
      this.post.cutOff();
      over();
    }
  }

  /** In this turn, and before any news is taken: what comes now is later than all that was missed. */
  private opened(runner: QueryRunner, client: Client): void {
    this.runner = runner;
    for (const listener of this.reconnected) listener();
    // On this connection, for no other keeps the place of what it tells among what it hears.
    this.post.opened(async (batch, signals) => {
      const payload = payloadOf(this.node, { kind: 'signals', batch, signals });
      try {
        await client.query({ ...impatient('select pg_notify($1, $2)'), values: [postgresChannel, payload] });
      } catch (error) {
        client.end().catch(() => undefined);
        throw error;
      }
    });
    this.probe = setInterval(() => {
      client.query(impatient('select')).catch(() => client.end());
    }, probeEveryMs);
  }

  private stopProbing(): void {
    if (this.probe) clearInterval(this.probe);
    this.probe = null;
  }

  private lost(runner: QueryRunner): void {
    this.stopProbing();
    this.runner = null;
    this.post.closed();
    void runner.release().catch(() => undefined);
    if (this.stopped || this.reconnect) return;
    this.reconnect = setTimeout(() => {
      this.reconnect = null;
      void this.listen();
    }, reconnectMs);
  }

  /** Whoever may connect to the database may notify. What a node cannot use it does without: it is a hint. */
  private receive(payload: string): void {
    if (!this.runner) return;
    try {
      const { node, news } = JSON.parse(payload) as { node: string | null; news: NodeNews };
      if (node === this.node) return news.kind === 'signals' ? this.post.cameBack(news.batch) : undefined;
      for (const listener of this.listeners) listener(news);
    } catch (error) {
      this.logger.warn(`A hint is of no use: ${(error as Error).message}`);
    }
  }
}
