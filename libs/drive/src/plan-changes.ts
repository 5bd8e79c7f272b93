import type { ChangeKind } from './entities/drive-change.js';
import { mimeTypeOf } from './mime-type.js';
import type { KnownFile, PresentSighting, Sighting } from './provider.js';

export interface PlannedChange {
  fileId: string;
  kind: ChangeKind;
  path: string;
  revision: number;
}

/** What sightings mean: the rows as they shall be, and what of it is news. */
export interface Plan {
  rows: KnownFile[];
  changes: PlannedChange[];
  /** Files whose path another file takes over, while they go on at a path of their own. */
  leaving: string[];
}

/** What the change log holds of the paths that were sighted. */
export interface Known {
  present: readonly KnownFile[];
  /** The last one removed of each path. */
  removed: readonly KnownFile[];
}

/**
 * Decides what sightings change.
 *
 * - The same path is the same file, however it was saved; equal bytes are no news.
 * - A path gone and a new path in the same sightings are one file that moved, if the source knows it by the same id or,
 *   failing that, the bytes are the same.
 * - Files that the source knows by id and that took each other's paths keep their identities.
 * - A file that gets a newer namesake, or loses it, is news, since it may be wanted no more, or again.
 * - A path that comes back continues the file that was removed there, so that its revision never falls.
 *
 * Deciding twice about the same sightings changes nothing the second time.
 */
export function planChanges(sightings: readonly Sighting[], known: Known, newFileId: () => string): Plan {
  const plan: Plan = { rows: [], changes: [], leaving: [] };
  const presentAt = new Map(known.present.map((file) => [file.path, file]));
  const removedAt = new Map(known.removed.map((file) => [file.path, file]));
  const gone = new Set(
    sightings.flatMap((sighting) => (sighting.seen === 'gone' ? (presentAt.get(sighting.path) ?? []) : [])),
  );
  const present = sightings.filter((sighting) => sighting.seen === 'present');
  for (const file of leavingFiles(present, presentAt, gone)) {
    plan.leaving.push(file.fileId);
    presentAt.delete(file.path);
    gone.add(file);
  }

  for (const sighting of present) {
    const file = presentAt.get(sighting.path);
    if (!file) continue;
    if (!isSame(file, sighting)) put(plan, 'changed', file, sighting);
    else if (!sameDetails(file, sighting)) plan.rows.push({ ...file, ...detailsOf(sighting) });
  }
  const arrived = present.filter((sighting) => !presentAt.has(sighting.path));
  const moves = matchMoves(arrived, gone);
  for (const sighting of arrived) {
    const moved = moves.get(sighting);
    const earlier = removedAt.get(sighting.path);
    if (moved) put(plan, 'changed', moved, sighting);
    else put(plan, 'added', earlier ?? { fileId: newFileId(), revision: 0 }, sighting);
  }
  const moved = new Set(moves.values());
  for (const file of gone) {
    if (moved.has(file)) continue;
    const revision = file.revision + 1;
    plan.rows.push({ ...file, revision, removed: true });
    plan.changes.push({ fileId: file.fileId, kind: 'removed', path: file.path, revision });
  }
  return plan;
}

function put(plan: Plan, kind: ChangeKind, file: Pick<KnownFile, 'fileId' | 'revision'>, sighting: PresentSighting): void {
  const revision = file.revision + 1;
  plan.rows.push({ fileId: file.fileId, revision, removed: false, ...detailsOf(sighting) });
  plan.changes.push({ fileId: file.fileId, kind, path: sighting.path, revision });
}

function detailsOf({ seen: _, ...details }: PresentSighting): Omit<KnownFile, 'fileId' | 'revision' | 'removed'> {
  return { ...details, mimeType: mimeTypeOf(details.path) };
}

function isSame(file: KnownFile, sighting: PresentSighting): boolean {
  return (
    file.hash === sighting.hash &&
    file.problem?.code === sighting.problem?.code &&
    file.problem?.reason === sighting.problem?.reason &&
    file.hasNewerNamesake === sighting.hasNewerNamesake
  );
}

function sameDetails(file: KnownFile, sighting: PresentSighting): boolean {
  return (
    file.sourceId === sighting.sourceId &&
    file.linkTarget === sighting.linkTarget &&
    file.mimeType === mimeTypeOf(sighting.path) &&
    Object.entries(sighting.fingerprint).every(([name, value]) => file.fingerprint[name] === value)
  );
}

/**
 * The files that gave their path to another known file and were themselves seen elsewhere. Only then: whoever saves by
 * renaming leaves the old file behind under another name, and the path still means the same song.
 */
function leavingFiles(
  present: readonly PresentSighting[],
  presentAt: ReadonlyMap<string, KnownFile>,
  gone: ReadonlySet<KnownFile>,
): Set<KnownFile> {
  const seenAt = new Map(present.flatMap(({ sourceId, path }) => (sourceId === null ? [] : [[sourceId, path] as const])));
  const successors = new Map<KnownFile, string>();
  for (const { path, sourceId } of present) {
    const file = presentAt.get(path);
    if (file?.sourceId && sourceId && file.sourceId !== sourceId && seenAt.has(file.sourceId))
      successors.set(file, sourceId);
  }
  const leaving = new Set(successors.keys());
  for (let before = -1; before !== leaving.size;) {
    before = leaving.size;
    const moving = new Set([...gone, ...leaving].map((file) => file.sourceId));
    for (const file of leaving) {
      const holder = presentAt.get(seenAt.get(file.sourceId!)!);
      if (!moving.has(successors.get(file)!) || (holder && !leaving.has(holder))) leaving.delete(file);
    }
  }
  return leaving;
}

/** Pairs each arrived path with the gone file it was; first by the source's id, then by equal bytes. */
function matchMoves(arrived: readonly PresentSighting[], gone: ReadonlySet<KnownFile>): Map<PresentSighting, KnownFile> {
  const moves = new Map<PresentSighting, KnownFile>();
  const left = new Set(gone);
  const match = (sighting: PresentSighting, file: KnownFile | undefined): void => {
    if (!file) return;
    moves.set(sighting, file);
    left.delete(file);
  };
  const byId = new Map([...gone].flatMap((file) => (file.sourceId ? [[file.sourceId, file] as const] : [])));
  for (const sighting of arrived) {
    const file = sighting.sourceId ? byId.get(sighting.sourceId) : undefined;
    if (file && left.has(file)) match(sighting, file);
  }
  const byHash = new Map<string, KnownFile[]>();
  for (const file of left) if (tellsBytesApart(file)) byHash.set(file.hash, [...(byHash.get(file.hash) ?? []), file]);
  for (const sighting of arrived) {
    if (moves.has(sighting) || !tellsBytesApart(sighting)) continue;
    const same = (byHash.get(sighting.hash) ?? []).filter((file) => left.has(file));
    match(sighting, same.find((file) => nameOf(file.path) === nameOf(sighting.path)) ?? same[0]);
  }
  return moves;
}

/** Empty files and links all look alike, so equal bytes say nothing of them. */
function tellsBytesApart(file: Pick<PresentSighting, 'hash' | 'size' | 'linkTarget'>): boolean {
  return file.hash !== '' && file.size > 0 && file.linkTarget === null;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
