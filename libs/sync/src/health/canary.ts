import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { WeighedFrame } from '../fan-out/frames.js';
import type { Hubs } from '../fan-out/hubs.js';
import type { RoomMember } from '../fan-out/room.js';
import type { CanaryLog } from '../log/canary-log.js';
import { Wake } from '../log/wake.js';
import { monotonicMs } from '../monotonic.js';

/** What a change goes through, in this order. */
export type Stage = 'database' | 'sequencer' | 'fan_out';

/** `since`: when the first message was sent that did not come through, ISO 8601. */
export type Health = { ready: true } | { ready: false; stage: Stage; since: string };

/** One message on its way. */
interface Flight {
  id: string;
  sentAt: Date;
  isStored: boolean;
  /** The offset with which it came through. */
  landed: Promise<number>;
  land: (offset: number) => void;
}

/** In intervals: a message that takes longer is asked after, … */
const overdueAfter = 1.3;
/** … a question that takes longer has no answer, … */
const answerWithin = 0.5;
/** … and a message that takes longer is given up: a backup restored meanwhile has never known it. */
const givenUpAfter = 10;

/**
 * Sends a message a second through all that a change goes through, and notices when it does not come back:
 *
 *     publish ──▶ outbox ──▶ log ──▶ room of this node
 *       database    sequencer   fan_out
 *
 * A stage that stops is named within three intervals; when a message comes through, all is well at once.
 */
export class Canary implements RoomMember {
  /** Alone in its channel, it has no place to keep. */
  readonly sentUpTo = 0;
  private readonly logger = new Logger('Canary');
  private readonly wake = new Wake();
  private flight: Flight | null = null;
  private trouble: { stage: Stage; since: Date } | null = { stage: 'database', since: new Date() };
  private running: Promise<void> | null = null;
  private readonly stopped = new AbortController();

  /** @param everyMs how often one is sent */
  constructor(
    private readonly log: CanaryLog,
    private readonly hubs: Hubs,
    private readonly everyMs: number,
  ) {}

  get health(): Health {
    if (!this.trouble) return { ready: true };
    const { stage, since } = this.trouble;
    return { ready: false, stage, since: since.toISOString() };
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    this.wake.notify();
    await this.running;
  }

  tell({ frame }: WeighedFrame): void {
    const own = frame.messages.find(({ id }) => id === this.flight?.id);
    if (own) this.flight?.land(own.offset);
  }

  stepBack(): void {
    // It fills no room: it sends nothing before the last message came through or was given up.
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const began = monotonicMs();
      await this.send(newFlight(new Date()));
      await this.wake.wait(Math.max(began + this.everyMs - monotonicMs(), 0));
    }
  }

  /** Resolves when it came through, could not be stored, or was given up. */
  private async send(flight: Flight): Promise<void> {
    this.flight = flight;
    const watch = setInterval(() => void this.askAfter(flight), this.everyMs * overdueAfter);
    const landed = new AbortController();
    try {
      const offset = await Promise.race([this.through(flight), this.givenUp(landed.signal)]);
      if (offset !== null) this.cameThrough(offset);
    } catch {
      this.report('database', flight);
    } finally {
      clearInterval(watch);
      landed.abort();
      this.flight = null;
    }
  }

  private async through(flight: Flight): Promise<number> {
    const hub = await this.hubs.open(this.log.channel);
    hub.join(this);
    await this.log.publish(flight.id);
    flight.isStored = true;
    return flight.landed;
  }

  private async givenUp(landed: AbortSignal): Promise<null> {
    const signal = AbortSignal.any([landed, this.stopped.signal]);
    return pass(this.everyMs * givenUpAfter, null, { signal }).catch(() => null);
  }

  private async askAfter(flight: Flight): Promise<void> {
    const stage = flight.isStored ? await this.stageOf(flight) : 'database';
    if (flight === this.flight) this.report(stage, flight);
  }

  private async stageOf({ id }: Flight): Promise<Stage> {
    const silence = pass(this.everyMs * answerWithin, 'database' as const);
    const answer = this.log.isLogged(id).then(
      (isLogged) => (isLogged ? 'fan_out' : 'sequencer'),
      () => 'database' as const,
    );
    return Promise.race([answer, silence]);
  }

  private report(stage: Stage, { sentAt }: Flight): void {
    if (this.trouble?.stage === stage || this.stopped.signal.aborted) return;
    this.trouble = { stage, since: this.trouble?.since ?? sentAt };
    this.logger.warn(`Changes do not come through: ${stage}`);
  }

  private cameThrough(offset: number): void {
    if (this.trouble) this.logger.log('Changes come through');
    this.trouble = null;
    // At the latest the next one's takes them with it.
    this.log.forgetBefore(offset).catch(() => undefined);
  }
}

function newFlight(sentAt: Date): Flight {
  let land!: Flight['land'];
  const landed = new Promise<number>((resolve) => (land = resolve));
  return { id: randomUUID(), sentAt, isStored: false, landed, land };
}
