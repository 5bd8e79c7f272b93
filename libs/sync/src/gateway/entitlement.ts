import type { Bus, Principal } from '@soleil/bus';
import { monotonicMs } from '../monotonic.js';
import { askAccess, type Access } from './access.js';
import { inTime } from './in-time.js';

/** A question that failed is asked again this soon. */
const retryMs = 1_000;

/** Who is held while it is not known what they may follow. */
export interface Entitled {
  readonly token: string;
  readonly principal: Principal;
  /** Nothing is sent until {@link entitled}. */
  hold(): void;
  /** Resolves when the newest answer may be taken on: the rights that it tells of have their place in their channels. */
  isSettled(access: Access): Promise<void>;
  /** The newest answer. */
  entitled(access: Access): void;
  /** The question failed. */
  refused(error: unknown): void;
}

/**
 * What a connection may follow, as Auth and Content say: asked before anything of a channel is sent, whenever a right of
 * its user has ended, and now and then as the net below lost news.
 *
 * Only the answer to the latest question counts, and a question begins after what it was asked for: what had committed by
 * then is in its answer. Several reasons in one turn of the event loop share one question.
 */
export class Entitlement {
  /** Counts what was asked for. The answer to an earlier question says nothing. */
  private asked = 0;
  private askedAt = monotonicMs();
  private hasFailed = false;
  private isScheduled = false;
  private latest: Promise<void> | null = null;

  constructor(
    private readonly bus: Bus,
    private readonly owner: Entitled,
  ) {}

  /** The latest question, as long as it is not answered. */
  get pending(): Promise<void> | null {
    return this.latest;
  }

  /**
   * Holds the connection and asks. Resolves when an answer to a question that began after this call was taken on.
   * @throws what the question failed with; the connection stays held, and {@link recheck} asks again
   */
  renew(): Promise<void> {
    this.owner.hold();
    this.asked += 1;
    if (this.isScheduled && this.latest) return this.latest;
    this.isScheduled = true;
    return (this.latest = nextTurn().then(() => this.ask()));
  }

  /**
   * Asks without holding, where the last question was that long ago, or has failed. An answer that is slow is waited for: if
   * it were asked for anew, no answer would ever be the latest.
   */
  recheck(everyMs: number): void {
    if (this.isScheduled || monotonicMs() - this.askedAt < (this.hasFailed ? retryMs : everyMs)) return;
    this.asked += 1;
    this.latest = this.ask();
    this.latest.catch(() => undefined);
  }

  private async ask(): Promise<void> {
    this.isScheduled = false;
    this.askedAt = monotonicMs();
    this.hasFailed = false;
    const { asked } = this;
    try {
      const access = await inTime(this.answer());
      if (asked === this.asked) await this.owner.isSettled(access);
      if (asked !== this.asked) return this.newest();
      this.latest = null;
      this.owner.entitled(access);
    } catch (error) {
      if (asked !== this.asked) return this.newest();
      this.hasFailed = true;
      this.owner.refused(error);
      throw error;
    }
  }

  private async answer(): Promise<Access> {
    await this.bus.request('auth.token_presented', { token: this.owner.token });
    return askAccess(this.bus, this.owner.principal.userId);
  }

  /** Resolves with the answer to the latest question, which may be there already. */
  private async newest(): Promise<void> {
    await this.latest;
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
