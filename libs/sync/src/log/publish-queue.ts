import { SyncError } from '@soleil/sync-protocol';
import type { DataSource, QueryRunner } from 'typeorm';
import { inTransaction, withRunner } from './borrowed-runner.js';
import { isDatabaseAway, translated } from './database-away.js';
import type { OutboxRow } from './outbox-message.js';
import { isKeyHeld, type Outbox } from './outbox.js';

export interface PublishQueueOptions {
  /** Messages that wait or are under way, at most; beyond that, publishing is refused. … */
  publishQueueMessages: number;
  /** … Bytes of their data, at most. */
  publishQueueBytes: number;
  /** The database is called away when it has not answered for this long. */
  publishTimeoutMs: number;
}

/** One statement stores this much, at most, but for a single call that brings more. */
const groupMessages = 500;
const groupBytes = 1024 * 1024;
/** Calls that wait for other transactions, at most: each takes a connection meanwhile, and others need some, too. */
const mostAside = 4;

/** One call's messages: stored all or none. */
interface Call {
  rows: readonly OutboxRow[];
  bytes: number;
  resolve: (ids: string[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Publishes that bring no transaction of their own. While one group of them is being stored the next one gathers, so that
 * a lone publish goes at once and many share one INSERT: 25,400 a second at 32 writers against 11,082 singly. One group is
 * under way at a time, which keeps the calls' order.
 *
 * When a group fails, it is halved until those who are at fault are alone; nobody else notices. A call that must wait for
 * another transaction (which holds its idempotency key) does so aside; what follows does not wait with it.
 */
export class PublishQueue {
  private readonly waiting: Call[] = [];
  private readonly open = { messages: 0, bytes: 0 };
  private running: Promise<void> | null = null;
  private aside = 0;

  /** @param onStored called after a group has committed */
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
    private readonly options: PublishQueueOptions,
    private readonly onStored: () => void,
  ) {}

  /**
   * @returns the messages' ids once they are committed
   * @throws SyncError `publish_overloaded`, `idempotency_conflict`, `database_unavailable`
   */
  async publish(rows: readonly OutboxRow[]): Promise<string[]> {
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
    this.admit(rows.length, bytes);
    try {
      return await new Promise((resolve, reject) => {
        this.waiting.push({ rows, bytes, resolve, reject });
        this.running ??= this.run();
      });
    } finally {
      this.open.messages -= rows.length;
      this.open.bytes -= bytes;
    }
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await this.running;
  }

  private admit(messages: number, bytes: number): void {
    const { publishQueueMessages, publishQueueBytes } = this.options;
    const { open } = this;
    // A call that is larger than the limit comes through when nothing else is open.
    const fits = open.messages + messages <= publishQueueMessages && open.bytes + bytes <= publishQueueBytes;
    if (!fits && open.messages > 0) {
      throw this.overloaded();
    }
    open.messages += messages;
    open.bytes += bytes;
  }

  private overloaded(): SyncError {
    return new SyncError('publish_overloaded', 'Too many messages wait to be stored.', { ...this.open });
  }

  private async run(): Promise<void> {
    // What is published in the same turn goes together.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.store(this.nextGroup());
    this.running = null;
  }

  private nextGroup(): Call[] {
    const group: Call[] = [];
    let messages = 0;
    let bytes = 0;
    for (const call of this.waiting) {
      messages += call.rows.length;
      bytes += call.bytes;
      if (group.length > 0 && (messages > groupMessages || bytes > groupBytes || needsTransaction(call))) break;
      group.push(call);
      if (needsTransaction(call)) break;
    }
    this.waiting.splice(0, group.length);
    return group;
  }

  /** Never rejects: each call is told what became of it. */
  private async store(group: readonly Call[]): Promise<void> {
    try {
      await this.attempt(group, true);
    } catch (error) {
      if (isDatabaseAway(error) || (group.length === 1 && !isKeyHeld(error))) {
        for (const { reject } of group) reject(translated(error));
      } else if (group.length === 1) {
        void this.storeAside(group[0]!);
      } else {
        const half = Math.ceil(group.length / 2);
        await this.store(group.slice(0, half));
        await this.store(group.slice(half));
      }
    }
  }

  /** A call that waits for somebody else's transaction, on a connection of its own. */
  private async storeAside(call: Call): Promise<void> {
    if (this.aside >= mostAside) return call.reject(this.overloaded());
    this.aside += 1;
    try {
      await this.attempt([call], false);
    } catch (error) {
      call.reject(translated(error));
    } finally {
      this.aside -= 1;
    }
  }

  private async attempt(group: readonly Call[], impatient: boolean): Promise<void> {
    const [first] = group;
    if (first && needsTransaction(first)) {
      const ids = await this.withRunner((runner) =>
        inTransaction(runner, () => this.outbox.append(first.rows, runner, impatient)),
      );
      first.resolve(ids);
    } else {
      const rows = group.flatMap((call) => call.rows);
      const results = await this.withRunner((runner) => this.outbox.appendEach(rows, runner, impatient));
      for (const { rows, resolve, reject } of group) {
        const own = results.splice(0, rows.length);
        const refused = own.find((result) => 'error' in result);
        if (refused) reject(refused.error);
        else resolve(own.map((result) => (result as { id: string }).id));
      }
    }
    this.onStored();
  }

  private withRunner<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    return withRunner(this.database, this.options.publishTimeoutMs, work, (error) => {
      for (const call of this.waiting.splice(0)) call.reject(error);
    });
  }
}

/** A statement outside of a transaction stores each message for itself; a call with several must not be stored in part. */
function needsTransaction({ rows }: Call): boolean {
  return rows.length > 1 && rows.some(({ idempotencyKey }) => idempotencyKey !== null);
}
