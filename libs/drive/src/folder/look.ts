import type { BigIntStats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { problemOf } from '../file-problem.js';
import type { FileProblem, Fingerprint, ProblemCode } from '../provider.js';
import { identityOf, type Root } from './root.js';

/** One look at a path. Two looks with the same `signature` found the same thing, unchanged. */
export type Look = FileLook | ProblemLook | { found: 'folder'; signature: string } | { found: 'nothing'; signature: string };

export interface FileLook {
  found: 'file';
  signature: string;
  size: number;
  /** Where its bytes are: the file itself, or what a link leads to. */
  place: string;
  linkTarget: string | null;
  sourceId: string;
  fingerprint: Fingerprint;
  modifiedAt: string;
}

/** A file that is to be listed, though its bytes cannot be had. */
export interface ProblemLook {
  found: 'problem';
  signature: string;
  problem: FileProblem;
  sourceId: string | null;
  fingerprint: Fingerprint;
  modifiedAt: string;
}

const nothing: Look = { found: 'nothing', signature: 'nothing' };

/**
 * What is at this path. Links are followed to files inside the folder only. Below a linked folder there is nothing: what
 * is in it is listed at its own place.
 * @throws DriveError `folder_missing` rather than finding nothing because the whole folder is away; `path_invalid`
 */
export async function lookAt(root: Root, path: string, maxFileBytes: number): Promise<Look> {
  const look = await lookAtPlace(root, root.place(path), maxFileBytes);
  if (look.found === 'nothing') await root.ensureUnchanged();
  return look;
}

async function lookAtPlace(root: Root, place: string, maxFileBytes: number): Promise<Look> {
  try {
    const stats = await lstat(place, { bigint: true });
    if (place !== root.real && !(await root.isReal(dirname(place)))) return nothing;
    if (stats.isSymbolicLink()) return await lookAlong(root, place, stats, maxFileBytes);
    if (stats.isDirectory()) return { found: 'folder', signature: `folder ${identityOf(stats)} ${stats.mtimeNs}` };
    return stats.isFile() ? fileLook(place, stats, stats, null, maxFileBytes) : nothing;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') return problemLook('not_readable', null);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return nothing;
    throw error;
  }
}

async function lookAlong(root: Root, link: string, linkStats: BigIntStats, maxFileBytes: number): Promise<Look> {
  let place: string;
  let stats: BigIntStats;
  try {
    place = await realpath(link);
    if (root.pathOf(place) === null) return problemLook('link_leaves_folder', linkStats);
    stats = await stat(place, { bigint: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') return problemLook('not_readable', linkStats);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return problemLook('link_broken', linkStats);
    throw error;
  }
  return stats.isFile() ? fileLook(place, stats, linkStats, root.pathOf(place), maxFileBytes) : nothing;
}

function fileLook(
  place: string,
  stats: BigIntStats,
  own: BigIntStats,
  linkTarget: string | null,
  maxFileBytes: number,
): Look {
  if (stats.size > maxFileBytes) return problemLook('file_too_large', own);
  const fingerprint = fingerprintOf(stats);
  return {
    found: 'file',
    signature: `file ${signatureOf(fingerprint)} ${linkTarget ?? ''}`,
    size: Number(stats.size),
    place,
    linkTarget,
    sourceId: sourceIdOf(own),
    fingerprint,
    modifiedAt: timeOf(stats.mtimeMs),
  };
}

function problemLook(code: ProblemCode, own: BigIntStats | null): ProblemLook {
  const fingerprint = own ? fingerprintOf(own) : {};
  return {
    found: 'problem',
    signature: `problem ${code} ${own ? signatureOf(fingerprint) : ''}`,
    problem: problemOf(code),
    sourceId: own && sourceIdOf(own),
    fingerprint,
    modifiedAt: timeOf(own?.mtimeMs ?? 0n),
  };
}

/** What no change of a file's bytes leaves as it was. */
export function fingerprintOf(stats: BigIntStats): Fingerprint {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return { dev: `${dev}`, ino: `${ino}`, size: `${size}`, mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}` };
}

/** The device's number is left out: the same share has another one on another machine, and after the next start. */
export function sameFingerprint(one: Fingerprint, other: Fingerprint): boolean {
  return signatureOf(one) === signatureOf(other);
}

function signatureOf({ ino, size, mtimeNs, ctimeNs }: Fingerprint): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

/** Inodes are given to new files as soon as they are free; the time of birth tells the old file from the new one. */
function sourceIdOf(stats: BigIntStats): string {
  return `${identityOf(stats)}:${stats.birthtimeNs}`;
}

/** Clamped to what every calendar holds: files do carry senseless times. */
function timeOf(ms: bigint): string {
  const latest = 253_402_300_799_000n;
  return new Date(Number(ms < 0n ? 0n : ms > latest ? latest : ms)).toISOString();
}
