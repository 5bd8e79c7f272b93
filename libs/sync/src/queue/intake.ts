import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { priorities, type OperationKind, type Priority } from '../entities/sync-operation.js';
import * as statements from './intake-statements.js';
import type { QueueDatabase } from './queue-database.js';

export interface NewOperation {
  kind: OperationKind;
  priority: Priority;
  orderingKey: string;
  cause: string;
  bandId?: string | null;
  fileId?: string | null;
  userId?: string | null;
  mode?: 'delta' | 'full' | null;
  parentId?: string | null;
  /** The fact this follows from. One already taken on is not taken on again. */
  eventId?: string;
}

/** Where an operation was put. */
export interface Enqueued {
  id: string;
  /** A new row; false where it joined one that waits, or its event was taken on before. */
  isNew: boolean;
}

/** An operation on a band as a whole. */
export type Look = NewOperation & { bandId: string };

/** How long ago the last look may be. Without `olderThanMs` that is the band's interval, by default `intervalMs`. */
export interface LookAge {
  olderThanMs?: number;
  intervalMs: number;
}

/** Operations or items in one transaction: each takes a lock of the database until that ends. */
export const mostAtOnce = 200;

/** How operations come to wait: each event once, and under one key one at a time. */
export class Intake {
  constructor(private readonly database: QueueDatabase) {}

  /**
   * Stores operations, each of which joins the one that waits under its ordering key. That one then keeps the higher priority
   * and runs as soon as it can, with all its attempts before it: the news may be what mends it. One that was lost more than once
   * still waits its time out, and with its losses: whom they mend needs no others. An operation that is running does not count: what it
   * read may be older than this news.
   * @returns in the order given; of an event that was taken on before, the earlier operation
   */
  async enqueue(wanted: readonly NewOperation[], transaction?: EntityManager): Promise<Enqueued[]> {
    if (wanted.length === 0) return [];
    const rows = await this.database.query<EnqueuedRow>(statements.enqueue, parametersOf(wanted), transaction);
    const byEvent = new Map(rows.map((row) => [row.eventId, row]));
    const byKey = new Map(rows.map((row) => [row.orderingKey, row]));
    return wanted.map(({ eventId, orderingKey }) => {
      const { id, isNew } = (eventId !== undefined && byEvent.get(eventId)) || byKey.get(orderingKey)!;
      return { id, isNew };
    });
  }

  /**
   * Enqueues those of these looks over bands that are due: the last one is longer ago than that, and none is being done or waits
   * already. One that is dead is tried again instead. Of two who do so at the same moment, one does.
   * @returns the bands that are looked over now
   */
  async enqueueLooks(wanted: readonly Look[], age: LookAge): Promise<string[]> {
    const due = (await this.due(wanted, age)).map(({ look }) => look);
    const bandIds: string[] = [];
    for (let begin = 0; begin < due.length; begin += mostAtOnce)
      bandIds.push(...(await this.enqueueDue(due.slice(begin, begin + mostAtOnce), age)));
    return bandIds;
  }

  /** Lets a dead operation wait again, with all its attempts. Where another one of its key waits already, that one stands for it. */
  async retry(id: string): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const [dead] = await transaction.query<{ orderingKey: string }[]>(statements.deadKey, [id]);
      if (!dead) return false;
      await transaction.query(statements.lockKeys, [[dead.orderingKey]]);
      const [ended] = await transaction.query<{ id: string }[]>(statements.retry, [id, dead.orderingKey]);
      return ended !== undefined;
    });
  }

  private enqueueDue(looks: readonly Look[], age: LookAge): Promise<string[]> {
    return this.database.transaction(async (transaction) => {
      await transaction.query(statements.lockKeys, [looks.map(({ orderingKey }) => orderingKey)]);
      // Others may have done it until now.
      const due = await this.due(looks, age, transaction);
      for (const { look, deadId } of due)
        if (deadId !== null) await transaction.query(statements.retry, [deadId, look.orderingKey]);
      await this.enqueue(
        due.filter(({ deadId }) => deadId === null).map(({ look }) => look),
        transaction,
      );
      return due.map(({ look }) => look.bandId);
    });
  }

  private async due(
    looks: readonly Look[],
    { olderThanMs, intervalMs }: LookAge,
    transaction?: EntityManager,
  ): Promise<{ look: Look; deadId: string | null }[]> {
    const parameters = [
      looks.map(({ orderingKey }) => orderingKey),
      looks.map(({ bandId }) => bandId),
      looks.map(({ priority }) => priorities[priority]),
      olderThanMs ?? null,
      intervalMs,
    ];
    const rows = await this.database.query<DueLook>(statements.dueLooks, parameters, transaction);
    const dead = new Map(rows.map(({ orderingKey, deadId }) => [orderingKey, deadId]));
    return looks.flatMap((look) => {
      const deadId = dead.get(look.orderingKey);
      return deadId === undefined ? [] : [{ look, deadId }];
    });
  }
}

/** An operation that waits under the key, or that took the event on before. */
type EnqueuedRow = Enqueued & ({ orderingKey: string; eventId: null } | { orderingKey: null; eventId: string });

interface DueLook {
  orderingKey: string;
  deadId: string | null;
}

/** The parameters of the statement that enqueues them. */
function parametersOf(wanted: readonly NewOperation[]): [string, string] {
  const isNews = new Set(wanted.flatMap(({ eventId, orderingKey }) => (eventId === undefined ? orderingKey : [])));
  const operations = joined(wanted).map((one) => ({
    id: randomUUID(),
    kind: one.kind,
    priority: priorities[one.priority],
    ordering_key: one.orderingKey,
    band_id: one.bandId,
    file_id: one.fileId,
    user_id: one.userId,
    mode: one.mode,
    cause: one.cause,
    parent_id: one.parentId,
    is_news: isNews.has(one.orderingKey),
  }));
  const events = wanted.flatMap(({ eventId, orderingKey }) =>
    eventId === undefined ? [] : { event_id: eventId, ordering_key: orderingKey },
  );
  return [JSON.stringify(operations), JSON.stringify(events)];
}

/** Those of one key as one, in the order of the keys. */
function joined(wanted: readonly NewOperation[]): NewOperation[] {
  const byKey = new Map<string, NewOperation>();
  for (const one of wanted) {
    const other = byKey.get(one.orderingKey);
    byKey.set(
      one.orderingKey,
      other
        ? {
            ...other,
            priority: priorities[one.priority] < priorities[other.priority] ? one.priority : other.priority,
            mode: one.mode === 'full' ? 'full' : other.mode,
            parentId: one.parentId === other.parentId ? one.parentId : null,
          }
        : one,
    );
  }
  return [...byKey.values()].sort((one, other) => (one.orderingKey < other.orderingKey ? -1 : 1));
}
