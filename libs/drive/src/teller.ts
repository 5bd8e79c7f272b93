import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Bus } from '@soleil/bus';
import type { DataSource } from 'typeorm';
import type { ChangeKind } from './entities/drive-change.js';
import { backoffMs, Stop } from './pause.js';

/** How long changes that another process committed, and died before telling, may lie. */
const lookMs = 2_000;
/** While another process tells this band's changes. */
export const waitMs = 100;

const factOf = { added: 'drive.file_added', changed: 'drive.file_changed', removed: 'drive.file_removed' } as const;

/** How a round ended. After `told` and `free` the next one follows at once. */
type Outcome = 'told' | 'free' | 'idle' | 'busy' | 'failed';

interface Untold {
  seq: number;
  eventId: string;
  fileId: string;
  kind: ChangeKind;
  path: string;
  revision: number;
  at: string;
}

/**
 * Tells one band's change log on the bus: in order, each change until a listener gave a receipt for it.
 *
 *     resting ──woken, or now and then──▶ taking the lease ──▶ telling a batch ──all receipts──▶ telling the next …
 *        ▲                                  │ another has it       │ one failed
 *        └──────────────────────────────────┴──── waits ◀──────────┘ backs off, tells that one again
 *
 * A batch holds only distinct files, so its facts may be told at once while those of one file stay in order. The cursor moves over the
 * receipts up to the first failure, and a fact that cannot be told holds up what comes after it. Who dies between a receipt and
 * the cursor's move makes a fact be told twice, with the same `eventId`.
 *
 * The lease is a row with a time limit and not a lock that is held open: that would keep a connection from the pool while
 * listeners need connections themselves.
 */
export class Teller {
  private readonly logger = new Logger('Drive');
  private readonly id = randomUUID();
  private readonly stopping = new Stop();
  /** Told with a receipt, but after one that failed: not told again by this process. */
  private readonly ahead = new Set<number>();
  private running: Promise<void> = Promise.resolve();
  private leased = false;
  private woken = false;
  private endRest: (() => void) | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly bandId: string,
    private readonly options: { tellBatch: number; tellLeaseMs: number },
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** There are new changes. */
  wake(): void {
    this.woken = true;
    this.endRest?.();
  }

  /** Resolves when what is being told is told. */
  async stop(): Promise<void> {
    this.stopping.now();
    this.endRest?.();
    await this.running;
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopping.stopped) {
      this.woken = false;
      const outcome = await this.tellSome().catch((error: unknown) =>
        this.explain('The change log of band %s could not be read', error),
      );
      failures = outcome === 'failed' ? failures + 1 : 0;
      if (outcome === 'failed') {
        // A new change may shorten the wait, never to nothing: else a busy folder would hammer a listener that is down.
        await this.stopping.pause(backoffMs(1));
        await this.rest(backoffMs(failures) - backoffMs(1));
      } else if (outcome === 'busy') {
        await this.stopping.pause(waitMs);
      } else if (outcome === 'idle') {
        await this.rest(lookMs);
      }
    }
    await this.release().catch(() => undefined);
  }

  private async tellSome(): Promise<Outcome> {
    const toldSeq = await this.takeLease();
    if (toldSeq === null) {
      await this.release();
      return this.whyNot();
    }
    const batch = distinctFiles(await this.untoldAfter(toldSeq));
    const outcomes = await Promise.allSettled(batch.map((change) => this.tell(change)));
    const firstFailure = outcomes.findIndex((outcome) => outcome.status === 'rejected');
    const told = firstFailure < 0 ? batch : batch.slice(0, firstFailure);
    const last = told.at(-1);
    if (last) await this.advance(last.seq);
    for (const change of told) this.ahead.delete(change.seq);
    const failure = outcomes[firstFailure];
    if (failure?.status !== 'rejected') return 'told';
    return this.explain(
      `"${batch[firstFailure]?.path}" of band %s could not be told, and will be told again`,
      failure.reason,
    );
  }

  private async tell(change: Untold): Promise<void> {
    if (this.ahead.has(change.seq)) return;
    await this.bus.publish(factOf[change.kind], {
      eventId: change.eventId,
      bandId: this.bandId,
      fileId: change.fileId,
      path: change.path,
      revision: change.revision,
      at: change.at,
    });
    this.ahead.add(change.seq);
  }

  private async takeLease(): Promise<number | null> {
    const [rows] = await this.dataSource.query<[{ told_seq: string }[], number]>(
      `update drive_cursor set teller = $2, leased_until = clock_timestamp() + make_interval(secs => $3)
       where band_id = $1 and (teller is null or teller = $2 or leased_until < clock_timestamp())
         and exists (select from drive_change where drive_change.band_id = $1 and seq > told_seq)
       returning told_seq`,
      [this.bandId, this.id, this.options.tellLeaseMs / 1_000],
    );
    if (!rows[0]) return null;
    this.leased = true;
    return Number(rows[0].told_seq);
  }

  /** What can be done where the lease was not taken: what was committed since then, and is free, is told at once. */
  private async whyNot(): Promise<'idle' | 'free' | 'busy'> {
    const [untold] = await this.dataSource.query<{ isFree: boolean }[]>(
      `select teller is null or leased_until < clock_timestamp() as "isFree" from drive_cursor
       where band_id = $1 and exists (select from drive_change where drive_change.band_id = $1 and seq > told_seq)`,
      [this.bandId],
    );
    if (!untold) return 'idle';
    return untold.isFree ? 'free' : 'busy';
  }

  private async untoldAfter(toldSeq: number): Promise<Untold[]> {
    return this.dataSource.query(
      `select seq::float8 as seq, event_id as "eventId", file_id as "fileId", kind, path, revision::float8 as revision,
         to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
       from drive_change where band_id = $1 and seq > $2 order by drive_change.seq limit $3`,
      [this.bandId, toldSeq, this.options.tellBatch],
    );
  }

  /** Never backwards: another process may have told on when this one's lease had run out. */
  private async advance(seq: number): Promise<void> {
    await this.dataSource.query('update drive_cursor set told_seq = greatest(told_seq, $2) where band_id = $1', [
      this.bandId,
      seq,
    ]);
  }

  private async release(): Promise<void> {
    if (!this.leased) return;
    await this.dataSource.query(
      'update drive_cursor set teller = null, leased_until = null where band_id = $1 and teller = $2',
      [this.bandId, this.id],
    );
    this.leased = false;
  }

  private async rest(ms: number): Promise<void> {
    if (this.woken || this.stopping.stopped || ms <= 0) return;
    const timeout = setTimeout(() => this.endRest?.(), ms);
    await new Promise<void>((resolve) => {
      this.endRest = resolve;
    });
    this.endRest = null;
    clearTimeout(timeout);
  }

  private explain(what: string, error: unknown): 'failed' {
    this.logger.warn(`${what.replace('%s', this.bandId)}: ${error instanceof Error ? error.message : String(error)}`);
    return 'failed';
  }
}

/** The longest beginning in which no file occurs twice. */
function distinctFiles(changes: Untold[]): Untold[] {
  const seen = new Set<string>();
  const repeated = changes.findIndex((change) => seen.size === seen.add(change.fileId).size);
  return repeated < 0 ? changes : changes.slice(0, repeated);
}
