import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Bus } from '@soleil/bus';
import type { NodeLink } from '../log/node-link.js';
import { monotonicMs } from '../monotonic.js';
import type { ResolvedSyncOptions } from '../options.js';
import type { Claim, Leases } from '../queue/leases.js';
import type { Losses } from '../queue/losses.js';
import type { Settlements } from '../queue/settlements.js';
import type { Lookout } from './lookout.js';
import type { OperationNews } from './operation-news.js';
import type { Held, OperationRunner } from './operation-runner.js';
import type { ProgressTeller } from './progress-teller.js';
import type { Slots } from './slots.js';

/** A worker silent for this long loses its operations. */
export const operationLeaseMs = 5_000;
const beatMs = 500;
/**
 * An operation that was in the hands of so many processes that ended is taken to be what ends them. Others are not by then: with `retryBaseMs` of
 * a second, the last wait before it is two minutes, for each operation another time.
 */
const mostLosses = 10;
/** Claimed ahead, and not begun for so long: others may have the time. */
const longestAheadMs = 1_000;
/** Prepared ones that wait for their transaction, beyond which nothing is claimed. */
const mostPrepared = 200;

/**
 * What a process does for the queue from its start to its end: claims operations as there is room, keeps their leases while it works on them,
 * puts back what it does not come to, and lets what was lost with other processes wait again.
 */
export class OperationWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('SyncEngine');
  private readonly held = new Map<string, Held>();
  private loop: Promise<void> | null = null;
  private heartbeat: NodeJS.Timeout | null = null;
  private beating: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly bus: Bus,
    private readonly leases: Leases,
    private readonly losses: Losses,
    private readonly settlements: Settlements,
    private readonly runner: OperationRunner,
    private readonly slots: Slots,
    private readonly news: OperationNews,
    private readonly progress: ProgressTeller,
    private readonly lookout: Lookout,
    private readonly link: NodeLink,
    private readonly options: Pick<ResolvedSyncOptions, 'workers' | 'retryBaseMs'>,
  ) {
    link.onNews((news) => {
      if (news.kind === 'cancelled') this.letGo(news.operationId);
    });
  }

  /** What waits under a key that this process works on is due when that is over, and not before. */
  isBusyWith(key: string): boolean {
    for (const { claim } of this.held.values()) if (claim.operation.orderingKey === key) return true;
    return false;
  }

  /** Stops working on an operation that is not this process's any more, where it is in its hands. */
  letGo(operationId: string): void {
    this.held.get(operationId)?.lost.abort();
  }

  onApplicationBootstrap(): void {
    this.loop = this.work();
    this.heartbeat = setInterval(() => {
      this.beating ??= this.beat().finally(() => (this.beating = null));
    }, beatMs);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.lookout.mayBeDue();
    await this.loop;
    await this.release(0).catch((error: Error) => this.logger.debug(`Nothing is put back: ${error.message}`));
    await Promise.all([...this.held.values()].map(({ over }) => over));
    if (this.heartbeat) clearInterval(this.heartbeat);
    await this.beating;
    await this.news.heard();
    this.progress.stop();
  }

  private async work(): Promise<void> {
    await this.bus.ready();
    this.lookout.open();
    while (!this.stopping) {
      const claims = await this.claim().catch((error: Error) => {
        this.logger.warn(`Not claiming for now: ${error.message}`);
        return null;
      });
      for (const claim of claims ?? []) this.take(claim);
      if (!claims) this.lookout.passOn();
      if (!claims?.length) await this.lookout.wait();
    }
    this.lookout.close();
  }

  /** @returns null: there is no room. Or the others could not see that this process lives, and would take it all away. */
  private async claim(): Promise<Claim[] | null> {
    const turn = this.slots.next;
    if (!turn || !this.link.isPresent || this.held.size > this.options.workers + mostPrepared) return null;
    if (!this.lookout.isWorthwhile(turn, this.slots.ahead)) return [];
    this.lookout.looks();
    const claims = await this.leases.claim(turn.limit, turn.from, turn.oldest, () => this.lookout.hasNew());
    this.lookout.found(claims.length, turn);
    this.slots.had(turn, claims.length);
    return claims;
  }

  private take(claim: Claim): void {
    const { id } = claim.operation;
    // This process may have lost it, without knowing yet, and claimed it again.
    this.letGo(id);
    const held: Held = {
      claim,
      claimedAt: monotonicMs(),
      hasBegun: false,
      hasPlace: false,
      lost: new AbortController(),
      over: Promise.resolve(),
    };
    this.held.set(id, held);
    held.over = this.runner.run(held).finally(() => {
      if (this.held.get(id) === held) this.held.delete(id);
    });
  }

  private async beat(): Promise<void> {
    try {
      if (this.held.size > 0) {
        const lost = await this.leases.renew([...this.held.values()].map(({ claim }) => claim));
        for (const id of lost) this.letGo(id);
        await this.release(longestAheadMs);
      }
      const { lost, progress } = await this.losses.reclaim(mostLosses, this.options.retryBaseMs);
      if (lost.length > 0) this.lookout.mayBeDue();
      this.news.lost(lost, progress);
    } catch (error) {
      this.logger.debug(`No heartbeat: ${(error as Error).message}`);
    }
  }

  /** Leaves to others what was claimed ahead and has not begun for so long: what took nothing takes long all of a sudden. */
  private async release(olderThanMs: number): Promise<void> {
    const late = [...this.held.values()].filter(
      ({ hasBegun, claimedAt, lost }) => !hasBegun && !lost.signal.aborted && monotonicMs() - claimedAt >= olderThanMs,
    );
    if (late.length === 0) return;
    for (const { lost } of late) lost.abort();
    await this.settlements.release(late.map(({ claim }) => claim));
    this.lookout.tellOthers();
  }
}
