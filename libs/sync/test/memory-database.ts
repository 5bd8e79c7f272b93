import type { DataSource } from 'typeorm';
import { isControl } from '../src/log/control-message.js';
import type { IdRange } from '../src/log/outbox-scan.js';
import type { Batch } from '../src/log/sequence-batch.js';
import { MemoryLog, type Carry } from './memory-log.js';

/** A row of the outbox. */
export interface Waiting {
  id: number;
  messageId: string;
  channel: string;
  type: string;
  key: string | null;
  data: unknown;
  bytes: number;
  publishedAt: Date;
}

interface Transaction {
  /** Drawn with the first row. */
  xid: number | null;
  rows: Waiting[];
}

/** Sees what becomes true in the database, in the moment in which it does. */
export interface Witness {
  committed(rows: readonly Waiting[]): void;
  moved(batch: Batch): void;
}

/** What the server knows of one connection. */
class Session {
  isAlive = true;
  transaction: Transaction | null = null;
}

interface LeaderRow {
  term: number;
  epoch: string;
  session: Session | null;
  leaseUntil: number;
}

/**
 * Of Postgres, what the log's writing side asks: an outbox that shows rows when their transaction commits, the leader's row
 * with its lease, and the batch that moves rows into a {@link MemoryLog}. It knows the log's statements by their names, so the
 * code that sends them is the same as with SQL; `log-contract.ts` holds it against SQL.
 */
export class MemoryDatabase {
  readonly log = new MemoryLog(() => this.waiting);
  private waiting: Waiting[] = [];
  private readonly open = new Set<Transaction>();
  private leader: LeaderRow = { term: 0, epoch: '', session: null, leaseUntil: -Infinity };
  private nextId = 1;
  private nextXid = 1;

  /** @param now the database's clock, milliseconds */
  constructor(
    private readonly now: () => number,
    private readonly witness: Witness = { committed: () => undefined, moved: () => undefined },
  ) {}

  /** For a process at the end of a line. `cut` ends all of its connections. */
  asDataSource(carry: Carry): DataSource & { cut(): void } {
    const subscribers: unknown[] = [];
    const runners = new Set<MemoryRunner>();
    const createQueryRunner = (): MemoryRunner => {
      const runner = new MemoryRunner(this, carry, subscribers);
      runners.add(runner);
      return runner;
    };
    const cut = (): void => {
      for (const runner of runners) runner.cut();
      runners.clear();
    };
    return { subscribers, createQueryRunner, cut } as unknown as DataSource & { cut(): void };
  }

  get outboxIsEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** @returns what sets the whole database back to how it is now; open transactions are not in a backup */
  backup(): () => void {
    const log = this.log.backup();
    const { waiting, leader, nextId, nextXid } = this;
    return () => {
      log();
      this.open.clear();
      Object.assign(this, { waiting: [...waiting], leader: { ...leader }, nextId, nextXid });
    };
  }

  begin(session: Session): void {
    session.transaction = { xid: null, rows: [] };
    this.open.add(session.transaction);
  }

  end(session: Session, commits: boolean): void {
    const { transaction } = session;
    session.transaction = null;
    // Set back to a backup, the database knows nothing of it.
    if (!transaction || !this.open.delete(transaction)) {
      if (commits) throw connectionLost();
      return;
    }
    if (commits) this.commit(transaction.rows);
  }

  /** The connection is gone, and what was open on it. */
  close(session: Session): void {
    session.isAlive = false;
    this.end(session, false);
  }

  execute(session: Session, name: string, values: readonly unknown[]): unknown[] {
    switch (name) {
      case 'sync_leader_settings':
        return [];
      case 'sync_see_vacancy':
        return this.isVacant ? [{}] : [];
      case 'sync_end_predecessor':
        if (this.isVacant && this.leader.session && this.leader.session !== session) this.close(this.leader.session);
        return [];
      case 'sync_take_office':
        return this.takeOffice(session, values as [string, string, number]);
      case 'sync_renew_office':
        return this.renewOffice(values as [number, string, ...Last]);
      case 'sync_leave_office':
        if (this.leader.epoch === values[0]) this.leader = { ...this.leader, session: null, leaseUntil: -Infinity };
        return [];
      case 'sync_sequence_batch':
        return this.sequence(values as BatchValues);
      case 'sync_publish_one': {
        const [id, channel, type, key, data, bytes] = values as [string, string, string, string | null, string, number];
        return this.publish(session, [{ id, channel, type, key, data: JSON.parse(data), bytes }]);
      }
      case 'sync_publish_several':
        return this.publish(session, JSON.parse(values[0] as string) as Published[]);
      default:
        throw new Error(`The database in memory does not know ${name}`);
    }
  }

  private commit(rows: readonly Waiting[]): void {
    this.waiting = [...this.waiting, ...rows].sort((one, other) => one.id - other.id);
    this.witness.committed(rows);
  }

  private get isVacant(): boolean {
    return this.leader.leaseUntil < this.now() || !this.leader.session?.isAlive;
  }

  private takeOffice(session: Session, [epoch, , leaseMs]: [string, string, number]): unknown[] {
    if (!this.isVacant) return [];
    this.leader = { term: this.leader.term + 1, epoch, session, leaseUntil: this.now() + leaseMs };
    return [{ term: this.leader.term, epoch }];
  }

  private renewOffice([leaseMs, epoch, ...last]: [number, string, ...Last]): unknown[] {
    if (!this.isHeld(epoch, last)) return [];
    this.leader.leaseUntil = this.now() + leaseMs;
    return [{}];
  }

  private isHeld(epoch: string, [channel, offset, id]: Last): boolean {
    if (epoch !== this.leader.epoch) return false;
    return channel === undefined || this.log.between(channel, offset! - 1, offset!)[0]?.id === id;
  }

  private publish(session: Session, published: readonly Published[]): unknown[] {
    const transaction = session.transaction ?? { xid: null, rows: [] };
    transaction.xid ??= this.nextXid++;
    const rows = published.map(({ id, ...row }) => ({
      ...row,
      id: this.nextId++,
      messageId: id,
      publishedAt: new Date(this.now()),
    }));
    transaction.rows.push(...rows);
    if (!session.transaction) this.commit(rows);
    return rows.map(({ id, messageId }) => ({ id: String(id), messageId }));
  }

  private sequence([lows, highs, limit, bytesLimit, epoch, ...last]: BatchValues): unknown[] {
    const ranges = lows.map((low, nth): IdRange => ({ low, high: highs[nth]! }));
    const found = this.waiting.filter(({ id }) => ranges.some(({ low, high }) => id >= low && id <= high)).slice(0, limit);
    let sum = 0;
    const tooMuch = found.findIndex(({ bytes }, nth) => (sum += bytes) > bytesLimit && nth > 0);
    const fitting = tooMuch < 0 ? found : found.slice(0, tooMuch);
    const controls = fitting.length === 0 ? [] : this.waiting.filter((row) => isControl(row) && !fitting.includes(row));
    const picked = [...fitting, ...controls];
    const isMoving = picked.length > 0 && this.isHeld(epoch, last);
    const xids = [...this.open].flatMap(({ xid }) => xid ?? []);
    const whole = {
      found: found.length,
      fitting: fitting.length,
      picked: picked.length,
      endedBelow: String(Math.min(this.nextXid, ...xids)),
      xid: isMoving ? String(this.nextXid++) : null,
    };
    if (!isMoving) return [{ ...whole, channel: null }];
    this.waiting = this.waiting.filter((row) => !picked.includes(row));
    return this.move(picked, epoch).map(({ row, ...logged }) => ({
      ...whole,
      ...logged,
      outboxId: row.id,
      isInTurn: fitting.includes(row),
    }));
  }

  private move(picked: readonly Waiting[], epoch: string) {
    const inOrder = [...picked].sort((one, other) => Number(isControl(other)) - Number(isControl(one)) || one.id - other.id);
    const channels = [...new Set(picked.map(({ channel }) => channel))].sort();
    return channels.flatMap((channel) => {
      const rows = inOrder.filter((row) => row.channel === channel);
      const batch = this.log.put(
        channel,
        epoch,
        rows.map(({ messageId: id, type, key, data, publishedAt }) => ({
          id,
          type,
          ...(key === null ? {} : { key }),
          data,
          at: publishedAt.toISOString(),
        })),
      );
      this.witness.moved(batch);
      return batch.messages.map(({ offset, id, type, key = null, data, at }, nth) => ({
        row: rows[nth]!,
        ...{ channel, epoch, offset, id, type, key, data, at: new Date(at) },
      }));
    });
  }
}

/** A connection, as far as the log's code uses one of TypeORM and of pg. */
class MemoryRunner {
  isTransactionActive = false;
  readonly manager = { queryRunner: this };
  private readonly session = new Session();

  constructor(
    private readonly database: MemoryDatabase,
    private readonly carry: Carry,
    private readonly subscribers: readonly unknown[],
  ) {}

  async connect(): Promise<unknown> {
    return {
      query: async ({ name, values }: { name: string; values: unknown[] }) => ({
        rows: await this.perform(() => this.database.execute(this.session, name, values)),
      }),
      end: async () => this.cut(),
    };
  }

  async startTransaction(): Promise<void> {
    await this.perform(() => this.database.begin(this.session));
    this.isTransactionActive = true;
  }

  async commitTransaction(): Promise<void> {
    await this.perform(() => this.database.end(this.session, true));
    this.isTransactionActive = false;
    this.tell('afterTransactionCommit');
  }

  async rollbackTransaction(): Promise<void> {
    await this.perform(() => this.database.end(this.session, false));
    this.isTransactionActive = false;
    this.tell('afterTransactionRollback');
  }

  async release(): Promise<void> {
    this.cut();
  }

  cut(): void {
    this.database.close(this.session);
  }

  private async perform<Answer>(work: () => Answer): Promise<Answer> {
    const answer = await this.carry(() => {
      this.checkAlive();
      return work();
    });
    // It may be done, and nobody will say so.
    this.checkAlive();
    return answer;
  }

  private checkAlive(): void {
    if (!this.session.isAlive) throw connectionLost();
  }

  private tell(event: string): void {
    for (const subscriber of this.subscribers as Record<string, (event: object) => void>[])
      subscriber[event]?.({ queryRunner: this });
  }
}

const connectionLost = (): Error => new Error('Connection terminated unexpectedly');

type Last = [channel: string | undefined, offset: number | undefined, id: string | undefined];
type BatchValues = [lows: number[], highs: number[], limit: number, bytesLimit: number, epoch: string, ...last: Last];
type Published = { id: string } & Pick<Waiting, 'channel' | 'type' | 'key' | 'data' | 'bytes'>;
