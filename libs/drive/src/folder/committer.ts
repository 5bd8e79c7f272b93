import { Logger } from '@nestjs/common';
import type { ChangeLog } from '../change-log.js';
import { backoffMs, type Stop } from '../pause.js';
import type { KnownFile, Sighting } from '../provider.js';
import type { Look } from './look.js';

/** A path at which something may have happened, from the first hint until nothing is open about it. */
export interface Candidate {
  readonly path: string;
  /** The last look at it. */
  look: Look | null;
  /** The file known at this path, as far as it was asked for. */
  known: KnownFile | null;
  /** What is to be committed, once that is clear. */
  sighting: Sighting | null;
  noticedAgain: boolean;
  /** Until the first look, and for a folder until what is in it was noticed too. */
  isUnseen: boolean;
  /** Ends the pause before the next look. */
  nudge: (() => void) | null;
  /** How many changes came of it. */
  readonly answer: Promise<number>;
  readonly reply: (changes: number) => void;
  done: Promise<void>;
}

interface Ready {
  candidate: Candidate;
  sighting: Sighting;
  resolve: (changes: number) => void;
  /** Of one that is gone: nobody had looked at these yet when this became ready. */
  unseen: readonly Candidate[];
  /** For a new path: where files known so far had the same identity or bytes. Null until it was asked. */
  twins: readonly string[] | null;
}

/** So many new files, none of which can be one half of a move, are committed while others of a library are still being hashed. */
const enoughAtOnce = 100;

/**
 * Commits sightings: all that are ready in one transaction, one transaction after another, so a burst of saves is a few
 * transactions.
 *
 * A file that moves is sighted twice, gone here and present there, and keeps its identity only if both are committed
 * together. So what could be one half of a move waits for the other: a file that is gone, until no open candidate can be it; a
 * file at a new path, until those that were known by its identity or bytes were looked at. This depends on what was seen and
 * not on when, so a stalled machine breaks no move apart.
 */
export class Committer {
  private readonly logger = new Logger('Drive');
  private readonly ready = new Map<Candidate, Ready>();
  private working: Promise<void> = Promise.resolve();
  private isWorking = false;

  constructor(
    private readonly changeLog: ChangeLog,
    private readonly candidates: ReadonlyMap<string, Candidate>,
    private readonly stopping: Stop,
    private readonly notice: (path: string) => void,
  ) {}

  /** Resolves with the number of changes when the sighting is committed; with 0 when stopped before. */
  async commit(candidate: Candidate, sighting: Sighting): Promise<number> {
    // Whoever was still hashing when everything that waited was sent away would wait for ever.
    if (this.stopping.stopped) return 0;
    candidate.sighting = sighting;
    try {
      return await new Promise<number>((resolve) => {
        const others = sighting.seen === 'gone' ? [...this.candidates.values()] : [];
        const unseen = others.filter((other) => other.isUnseen);
        this.ready.set(candidate, { candidate, sighting, resolve, unseen, twins: null });
        this.consider();
      });
    } finally {
      candidate.sighting = null;
    }
  }

  /** What waited may be free to go. */
  consider(): void {
    if (this.isWorking || this.stopping.stopped || this.ready.size === 0) return;
    this.isWorking = true;
    this.working = this.work();
  }

  async stop(): Promise<void> {
    await this.working;
    for (const { resolve } of this.ready.values()) resolve(0);
    this.ready.clear();
  }

  private async work(): Promise<void> {
    let failures = 0;
    for (let batch = this.free(); batch.length > 0 && !this.stopping.stopped; batch = this.free()) {
      // After a failure one file at a time, the failed one last: what cannot be stored must not hold up the others.
      if (failures > 0) batch = batch.filter((ready, place) => place === 0 || areTwins(ready, batch[0]!));
      try {
        const arrived = batch.filter((ready) => isArrival(ready) && ready.twins === null);
        const newcomers = batch.filter((ready) => ready.twins?.length === 0);
        if (arrived.length === 0) await this.commitBatch(batch);
        else if (newcomers.length >= enoughAtOnce) await this.commitBatch(newcomers);
        else await this.findTwins(arrived);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.logger.error(
          `Changes of band ${this.changeLog.bandId} could not be stored: ${error instanceof Error ? error.message : String(error)}`,
        );
        for (const ready of batch) this.putLast(ready);
        await this.stopping.pause(backoffMs(failures));
      }
    }
    this.isWorking = false;
  }

  private async findTwins(arrived: Ready[]): Promise<void> {
    const twins = await this.changeLog.presentLike(arrived.map(({ sighting }) => sighting));
    for (const ready of arrived) {
      const { sighting } = ready;
      if (sighting.seen === 'gone') continue;
      const others = twins.filter((twin) => twin.path !== sighting.path);
      const sameFile = others.filter((twin) => sighting.sourceId !== null && twin.sourceId === sighting.sourceId);
      const sameBytes = others.filter((twin) => sighting.hash !== '' && twin.hash === sighting.hash);
      ready.twins = (sameFile.length > 0 ? sameFile : sameBytes).map((twin) => twin.path);
      for (const path of ready.twins) if (!this.candidates.has(path)) this.notice(path);
    }
  }

  private async commitBatch(batch: Ready[]): Promise<void> {
    const changes = await this.changeLog.commit(batch.map(({ sighting }) => sighting));
    const changed = new Set(changes.map((change) => change.path));
    for (const { candidate, resolve } of batch) {
      this.ready.delete(candidate);
      resolve(changed.has(candidate.path) ? 1 : 0);
    }
    if (changed.size === 0) return;
    const links = await this.changeLog.linksTo(batch.map(({ candidate }) => candidate.path)).catch(() => []);
    for (const path of links) this.notice(path);
  }

  private putLast(ready: Ready): void {
    this.ready.delete(ready.candidate);
    this.ready.set(ready.candidate, ready);
  }

  /** What is ready and waits for no other half; the two halves of a move together. */
  private free(): Ready[] {
    const comingIds = new Set<string>();
    const comingSizes = new Set<number>();
    for (const { look, sighting } of this.candidates.values()) {
      if (sighting || look?.found !== 'file') continue;
      comingIds.add(look.sourceId);
      if (look.size > 0) comingSizes.add(look.size);
    }
    const all = [...this.ready.values()];
    const arrivedIds = new Set(
      all.filter(isArrival).map(({ sighting }) => (sighting.seen === 'present' ? sighting.sourceId : null)),
    );
    const held = new Set<string>();
    for (const { sighting, candidate, unseen } of all) {
      if (sighting.seen === 'present' || !candidate.known) continue;
      const { sourceId, size } = candidate.known;
      if (sourceId && arrivedIds.has(sourceId)) continue;
      const mayBeComing = comingIds.has(sourceId ?? '') || comingSizes.has(size);
      if (mayBeComing || unseen.some((other) => other.isUnseen)) held.add(candidate.path);
    }
    const isOpen = (path: string): boolean => held.has(path) || this.candidates.get(path)?.sighting === null;
    return all.filter(({ candidate, twins }) => !held.has(candidate.path) && !twins?.some(isOpen));
  }
}

function areTwins(one: Ready, other: Ready): boolean {
  return Boolean(one.twins?.includes(other.candidate.path) || other.twins?.includes(one.candidate.path));
}

function isArrival({ sighting, candidate }: Ready): boolean {
  return sighting.seen === 'present' && !candidate.known;
}
