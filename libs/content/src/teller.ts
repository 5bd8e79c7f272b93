import type { Bus } from '@soleil/bus';
import type { DataSource, EntityManager } from 'typeorm';
import type { ContentFactRow } from './content-fact.entity.js';

export interface TellerSettings {
  tellBackoffMaxMs: number;
  tellPollMs: number;
}

const batchSize = 200;
const firstBackoffMs = 100;
/** After several facts there will be more. */
const gatherMs = 25;
/** Another process tells at present. */
const busyMs = 200;

/**
 * Tells the facts that wait in `content_fact`, in order per file, each until a listener gave its receipt.
 *
 *     written with the change ──> told ──> receipt: deleted
 *                                  └─────> none, or an error: told again, later and later
 *
 * One process tells at a time. A fact may be told twice, when the process dies between receipt and deletion; its
 * `eventId` stays the same. A fact that finds no listener holds up its own file only.
 */
export class Teller {
  private stopped = false;
  private woken = false;
  private rouse: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly settings: TellerSettings,
    private readonly onFailure: (message: string, error: unknown) => void,
  ) {}

  /** @param before done once, before the first fact; tried again until it succeeds */
  start(before: () => Promise<unknown>): void {
    this.running = this.run(before);
  }

  /** Facts were committed. */
  wake(): void {
    this.woken = true;
    this.rouse();
  }

  /** Resolves when nothing is in flight any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.rouse();
    await this.running;
  }

  private async run(before: () => Promise<unknown>): Promise<void> {
    let isPrepared = false;
    let failures = 0;
    while (!this.stopped) {
      this.woken = false;
      try {
        if (!isPrepared) {
          await this.untilStopped(this.bus.ready());
          await before();
          isPrepared = true;
        }
        const { restMs, isGathering } = await this.dataSource.transaction((manager) => this.tellBatch(manager));
        failures = 0;
        if (isGathering) await this.pause(restMs, () => this.stopped);
        else if (restMs > 0 && !this.woken) await this.pause(restMs, () => true);
      } catch (error) {
        this.onFailure('Facts cannot be told at present', error);
        // News is no reason to hammer a database that is down.
        await this.pause(Math.min(firstBackoffMs * 2 ** failures++, this.settings.tellBackoffMaxMs), () => this.stopped);
      }
    }
  }

  /**
   * The transaction stays open while listeners work, since its end is what releases the turn, also when this process dies.
   * @returns how long to wait for the next batch; while facts are gathered for it, news of another one changes nothing
   */
  private async tellBatch(manager: EntityManager): Promise<{ restMs: number; isGathering?: boolean }> {
    const [turn] = await manager.query<{ mine: boolean }[]>(
      `select pg_try_advisory_xact_lock(hashtext('content_fact')) as mine`,
    );
    if (!turn?.mine) return { restMs: busyMs };
    const facts = await manager.query<ContentFactRow[]>(dueHeads, [batchSize]);
    if (facts.length === 0) return { restMs: await this.untilNext(manager) };

    const outcomes = await Promise.allSettled(facts.map((fact) => this.tell(fact)));
    const seqs = (status: string): string[] =>
      facts.filter((_, index) => outcomes[index]?.status === status).map(({ seq }) => seq);
    await manager.query(`delete from content_fact where seq = any($1::bigint[])`, [seqs('fulfilled')]);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (!failure) return facts.length > 1 ? { restMs: gatherMs, isGathering: true } : { restMs: 0 };
    await manager.query(postpone, [seqs('rejected'), firstBackoffMs, this.settings.tellBackoffMaxMs]);
    this.onFailure('A fact was not taken, and will be told again', failure.reason);
    return { restMs: 0 };
  }

  private async tell({ eventId, name, bandId, fileId, causedBy, at }: ContentFactRow): Promise<void> {
    await this.bus.publish(name, {
      eventId,
      bandId,
      fileId,
      ...(causedBy === null ? {} : { causedBy }),
      at: at.toISOString(),
    });
  }

  private async untilNext(manager: EntityManager): Promise<number> {
    const [next] = await manager.query<{ ms: number | null }[]>(nextHead);
    return Math.min(Math.max(Math.ceil(next?.ms ?? Infinity), 1), this.settings.tellPollMs);
  }

  /** Until `ms` have passed, or something happened and `isOver` says that it matters. */
  private async pause(ms: number, isOver: () => boolean): Promise<void> {
    if (this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.rouse = () => {
        if (!isOver()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async untilStopped(event: Promise<void>): Promise<void> {
    if (this.stopped) return;
    const stop = new Promise<void>((resolve) => {
      this.rouse = () => {
        if (this.stopped) resolve();
      };
    });
    await Promise.race([event, stop]);
  }
}

const isHead = `not exists (select 1 from content_fact earlier where earlier.file_id = fact.file_id and earlier.seq < fact.seq)`;

/** The oldest fact of each file, where it is due. */
const dueHeads = `
  select seq, event_id as "eventId", name, band_id as "bandId", file_id as "fileId", caused_by as "causedBy", at
  from content_fact fact
  where next_at <= clock_timestamp() and ${isHead}
  order by seq limit $1`;

const nextHead = `
  select (extract(epoch from min(next_at) - clock_timestamp()) * 1000)::float8 as ms
  from content_fact fact where ${isHead}`;

const postpone = `
  update content_fact set attempts = attempts + 1,
    next_at = clock_timestamp() + least($2 * power(2, least(attempts, 20)), $3) * interval '1 millisecond'
  where seq = any($1::bigint[])`;
