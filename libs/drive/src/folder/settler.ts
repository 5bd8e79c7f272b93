import { Logger } from '@nestjs/common';
import type { ChangeLog } from '../change-log.js';
import { DriveError } from '../drive-error.js';
import { Limiter } from '../limiter.js';
import type { DriveOptions } from '../options.js';
import { backoffMs, Stop } from '../pause.js';
import type { FileProblem, KnownFile, PresentSighting, Sighting } from '../provider.js';
import { Committer, type Candidate } from './committer.js';
import { compareFolder } from './compare-folder.js';
import { hashFile } from './hash-file.js';
import { isIgnoredPath } from '../ignored.js';
import { KnownFiles } from './known-files.js';
import { lookAt, sameFingerprint, type FileLook, type Look, type ProblemLook } from './look.js';
import type { Root } from './root.js';
import { openInside } from './verified-file.js';

/** A new folder is looked into once more after this: a watcher reads a folder first and watches it afterwards. */
const folderQuietMs = 1_000;
/** One save is several events; what comes this soon after the first is looked into together. */
const gatherMs = 10;
/** What changes for longer than this is being written; nobody who asked for a comparison waits for it. */
const busyAfterMs = 5_000;

/**
 * Turns hints that something may have happened at a path into sightings that can be relied on, and commits them.
 *
 *     noticed ──▶ looked at until quiet ──▶ compared, hashed ──▶ committed ──▶ forgotten
 *                     ▲                        │ changed while hashing   │ noticed again meanwhile
 *                     └────────────────────────┴─────────────────────────┘
 *
 * A hint is never believed: only what two looks found. Hints may come late, twice, in any order or for nothing.
 */
export class Settler {
  private readonly logger = new Logger('Drive');
  private readonly stopping = new Stop();
  private readonly candidates = new Map<string, Candidate>();
  private readonly known: KnownFiles;
  private readonly committer: Committer;
  private readonly hashing: Limiter;

  constructor(
    private readonly root: Root,
    private readonly changeLog: ChangeLog,
    private readonly options: DriveOptions,
    private readonly onMissing: (error: DriveError) => void,
  ) {
    this.known = new KnownFiles(changeLog);
    this.hashing = new Limiter(options.concurrentHashes);
    this.committer = new Committer(changeLog, this.candidates, this.stopping, (path) => void this.notice(path));
  }

  /**
   * Something may have happened at this path.
   * @returns how many changes came of it; 0 as well when the file is still being written
   */
  notice(path: string): Promise<number> {
    const present = this.candidates.get(path);
    if (present) {
      present.noticedAgain = true;
      present.nudge?.();
      return present.answer;
    }
    let reply: (changes: number) => void = () => undefined;
    const answer = new Promise<number>((resolve) => (reply = resolve));
    const candidate: Candidate = {
      path,
      look: null,
      known: null,
      sighting: null,
      noticedAgain: false,
      isUnseen: true,
      nudge: null,
      answer,
      reply,
      done: Promise.resolve(),
    };
    this.candidates.set(path, candidate);
    candidate.done = this.follow(candidate);
    return answer;
  }

  /** Resolves when nothing is in flight. What was not committed is found by the next comparison. */
  async stop(): Promise<void> {
    this.stopping.now();
    for (const candidate of this.candidates.values()) candidate.nudge?.();
    await this.committer.stop();
    // What is under way may still notice files below a folder.
    while (this.candidates.size > 0) await Promise.all([...this.candidates.values()].map((candidate) => candidate.done));
  }

  private async follow(candidate: Candidate): Promise<void> {
    let changes = 0;
    let failures = 0;
    do {
      candidate.noticedAgain = false;
      try {
        changes += await this.settle(candidate);
        failures = 0;
      } catch (error) {
        if (error instanceof DriveError && error.code === 'folder_missing') {
          this.onMissing(error);
          break;
        }
        if (this.stopping.stopped) break;
        failures += 1;
        candidate.noticedAgain = true;
        this.logger.warn(
          `"${candidate.path}" will be looked at again: ${error instanceof Error ? error.message : String(error)}`,
        );
        await this.stopping.pause(backoffMs(failures));
      }
    } while (candidate.noticedAgain && !this.stopping.stopped);
    this.candidates.delete(candidate.path);
    candidate.isUnseen = false;
    candidate.reply(changes);
    this.committer.consider();
  }

  private async settle(candidate: Candidate): Promise<number> {
    const look = await this.lookUntilQuiet(candidate);
    if (this.stopping.stopped) return 0;
    const known = await this.known.find(candidate.path);
    candidate.known = known;
    const sighting = await this.sight(candidate, look, known);
    return sighting ? this.committer.commit(candidate, sighting) : 0;
  }

  private async lookUntilQuiet(candidate: Candidate): Promise<Look> {
    const begunAt = performance.now();
    let quietSince = begunAt;
    let look = await this.look(candidate);
    await this.lookBelow(candidate, look);
    this.hasSeen(candidate);
    for (;;) {
      const lookedAt = performance.now();
      const restMs = this.neededQuietMs(look) - (lookedAt - quietSince);
      if (restMs <= 0 || this.stopping.stopped) break;
      if (lookedAt - begunAt >= busyAfterMs) candidate.reply(0);
      await this.pauseUntilNoticed(candidate, Math.min(restMs, this.options.settleMs));
      candidate.noticedAgain = false;
      const nextAt = performance.now();
      const next = await this.look(candidate);
      if (next.signature !== look.signature) {
        quietSince = nextAt;
        await this.lookBelow(candidate, next);
      }
      look = next;
    }
    if (look.found === 'folder') await this.lookBelow(candidate, look);
    return look;
  }

  /** A new hint is looked into soon, so that quiet counts from the last write and not from a look some time after it. */
  private async pauseUntilNoticed(candidate: Candidate, ms: number): Promise<void> {
    if (!candidate.noticedAgain) {
      const pause = new Stop();
      candidate.nudge = () => pause.now();
      await pause.pause(ms);
      candidate.nudge = null;
    }
    if (candidate.noticedAgain) await this.stopping.pause(gatherMs);
  }

  private hasSeen(candidate: Candidate): void {
    candidate.isUnseen = false;
    this.committer.consider();
  }

  private async look(candidate: Candidate): Promise<Look> {
    const { path } = candidate;
    candidate.look = isIgnoredPath(path)
      ? { found: 'nothing', signature: 'ignored' }
      : await lookAt(this.root, path, this.options.maxFileBytes);
    return candidate.look;
  }

  private neededQuietMs(look: Look): number {
    const { settleMs, emptySettleMs } = this.options;
    if (look.found === 'folder') return settleMs + folderQuietMs;
    return look.found === 'file' && look.size === 0 ? settleMs + emptySettleMs : settleMs;
  }

  /** A folder that came or went concerns all files below it, whether or not anybody hints at each. */
  private async lookBelow(candidate: Candidate, look: Look): Promise<void> {
    const { path } = candidate;
    if (look.found === 'folder') {
      for (const below of await compareFolder(this.root, path, this.changeLog)) void this.notice(below);
    } else if (look.found === 'nothing') {
      candidate.known = await this.known.find(path);
      if (candidate.known) return;
      for (const file of await this.changeLog.presentUnder(path)) void this.notice(file.path);
    }
  }

  /** Null where nothing is new. */
  private async sight(candidate: Candidate, look: Look, known: KnownFile | null): Promise<Sighting | null> {
    const { path } = candidate;
    if (look.found === 'nothing' || look.found === 'folder') return known && { seen: 'gone', path };
    if (look.found === 'problem') {
      // Below a folder that may not be entered anything may be or not be; only what was known is worth a word.
      const isThere = known !== null || look.sourceId !== null;
      return isThere ? problemSighting(path, look, look.problem) : null;
    }
    if (
      known &&
      !known.problem &&
      known.linkTarget === look.linkTarget &&
      sameFingerprint(known.fingerprint, look.fingerprint)
    )
      return null;
    const hash = await this.hashing.run(() => this.hash(look));
    if (hash === null) candidate.noticedAgain = true;
    if (hash === null || typeof hash === 'object') return hash && problemSighting(path, look, hash);
    const { size, sourceId, modifiedAt, fingerprint, linkTarget } = look;
    const sighting = { path, sourceId, size, hash, modifiedAt, fingerprint, linkTarget, problem: null };
    return { seen: 'present', ...sighting, hasNewerNamesake: false };
  }

  /** The hash; or what is wrong with the file; or null when it changed under our hands. */
  private async hash(look: FileLook): Promise<string | FileProblem | null> {
    try {
      const { handle, fingerprint } = await openInside(this.root, look.place);
      try {
        return sameFingerprint(fingerprint, look.fingerprint) ? await hashFile(handle, fingerprint) : null;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!(error instanceof DriveError)) throw error;
      if (error.code === 'not_readable' || error.code === 'link_leaves_folder')
        return { code: error.code, reason: error.message };
      return null;
    }
  }
}

function problemSighting(path: string, look: FileLook | ProblemLook, problem: FileProblem): PresentSighting {
  const { sourceId, modifiedAt, fingerprint } = look;
  const sighting = { path, sourceId, size: 0, hash: '', modifiedAt, fingerprint, linkTarget: null, problem };
  return { seen: 'present', ...sighting, hasNewerNamesake: false };
}
