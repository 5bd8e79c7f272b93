import { setTimeout as pass } from 'node:timers/promises';
import type { EventBroadcaster, OutboxMessage } from '@soleil/sync';
import type { DataSource, EntityManager } from 'typeorm';
import type { Random } from './random.js';
import { typeOf, type Publishing, type Record } from './record.js';

export interface PublisherOptions {
  /** Unique in the run, for the names of transactions. */
  name: string;
  /** Numbers of messages count up from here. */
  firstNumber: number;
  channels: readonly string[];
  /** Loops that publish at the same time. */
  writers: number;
  /** Between two transactions of one writer, on average. */
  thinkMs: number;
}

/** Of each channel, as many entities have a row in `chaos_entity`, to be locked. */
export const entitiesPerChannel = 4;
const plainKeysPerChannel = 25;

/**
 * Publishes in every way there is: alone, several at once, in transactions that commit at once, late or not at all, about
 * entities whose row is locked. Writes down what it is about to do and how that went.
 */
export class Publisher {
  private next: number;
  private transactions = 0;
  private isPaused = true;
  private wake: (() => void)[] = [];
  private atWork = 0;
  private allResting: (() => void)[] = [];

  constructor(
    private readonly database: DataSource,
    private readonly broadcaster: EventBroadcaster,
    private readonly record: Record,
    private readonly random: Random,
    private readonly options: PublisherOptions,
  ) {
    this.next = options.firstNumber;
    for (let writer = 0; writer < options.writers; writer++) void this.write();
  }

  resume(): void {
    this.isPaused = false;
    for (const wake of this.wake.splice(0)) wake();
  }

  /** Resolves when every transaction is over, one way or the other. */
  async pause(): Promise<void> {
    this.isPaused = true;
    if (this.atWork > 0) await new Promise<void>((resolve) => this.allResting.push(resolve));
  }

  private async write(): Promise<never> {
    for (;;) {
      if (this.isPaused) await new Promise<void>((resolve) => this.wake.push(resolve));
      this.atWork += 1;
      await this.publishSomething();
      this.atWork -= 1;
      if (this.atWork === 0) for (const rest of this.allResting.splice(0)) rest();
      await pass(this.random.between(0, 2 * this.options.thinkMs));
    }
  }

  private publishSomething(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.45) return this.publishAlone([this.message()]);
    if (dice < 0.55) return this.publishAlone(this.messages(6));
    if (dice < 0.85) return this.inTransaction((manager, tx) => this.publishWithin(manager, tx, this.messages(5)));
    return this.inTransaction((manager, tx) => this.changeEntity(manager, tx));
  }

  /** Without a transaction of the caller's: it has committed when the call returns. */
  private async publishAlone(messages: Publishing[]): Promise<void> {
    const tx = this.transaction();
    this.record.write({ op: 'publishing', tx, messages });
    this.record.write({ op: 'committing', tx });
    try {
      const ids = await this.broadcaster.publishAll(messages.map(toOutbox));
      this.record.write({ op: 'committed', tx, ids });
    } catch {
      // The database went away in the middle: nobody knows, and the record says so by its silence.
    }
  }

  private async inTransaction(work: (manager: EntityManager, tx: string) => Promise<string[]>): Promise<void> {
    const tx = this.transaction();
    const runner = this.database.createQueryRunner();
    try {
      await runner.startTransaction();
      const ids = await work(runner.manager, tx);
      const isLate = this.random.chance(0.1);
      await pass(isLate ? this.random.between(200, 1_500) : this.random.between(0, 15));
      if (this.random.chance(0.2)) {
        this.record.write({ op: 'rolled_back', tx });
        await runner.rollbackTransaction();
      } else {
        this.record.write({ op: 'committing', tx });
        await runner.commitTransaction();
        this.record.write({ op: 'committed', tx, ids });
      }
    } catch {
      // The record stands where the transaction came to.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    } finally {
      await runner.release().catch(() => undefined);
    }
  }

  /** In two calls, whose order is to be kept. */
  private async publishWithin(transaction: EntityManager, tx: string, messages: Publishing[]): Promise<string[]> {
    const half = this.random.between(1, messages.length);
    const ids: string[] = [];
    for (const some of [messages.slice(0, half), messages.slice(half)]) {
      if (some.length === 0) continue;
      this.record.write({ op: 'publishing', tx, messages: some });
      ids.push(...(await this.broadcaster.publishAll(some.map(toOutbox), { transaction })));
    }
    return ids;
  }

  private async changeEntity(transaction: EntityManager, tx: string): Promise<string[]> {
    const channel = this.random.pick(this.options.channels);
    const entity = this.random.between(1, entitiesPerChannel);
    const [rows] = await transaction.query<[{ version: number }[], number]>(
      'update chaos_entity set version = version + 1 where channel = $1 and nth = $2 returning version',
      [channel, entity],
    );
    const gone = this.random.chance(0.2) ? { gone: true as const } : {};
    const message = { n: this.next++, channel, key: `entity:${entity}`, version: rows[0]!.version, ...gone };
    this.record.write({ op: 'publishing', tx, messages: [message] });
    return [await this.broadcaster.publish(toOutbox(message), { transaction })];
  }

  private messages(most: number): Publishing[] {
    return Array.from({ length: this.random.between(1, most) }, () => this.message());
  }

  private message(): Publishing {
    const message = { n: this.next++, channel: this.random.pick(this.options.channels) };
    if (!this.random.chance(0.3)) return message;
    const key = `plain:${this.random.between(1, plainKeysPerChannel)}`;
    return this.random.chance(0.15) ? { ...message, key, gone: true } : { ...message, key };
  }

  private transaction(): string {
    return `${this.options.name}:${this.transactions++}`;
  }
}

function toOutbox({ n, channel, key, gone }: Publishing): OutboxMessage {
  return { channel, type: typeOf(n), ...(key === undefined ? {} : { key }), data: gone ? null : { n } };
}
