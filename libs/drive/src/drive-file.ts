import type { DriveFile } from '@soleil/bus';
import type { DriveFileRow } from './entities/drive-file.js';
import type { KnownFile } from './provider.js';

/** A row as everybody else sees it. */
export function driveFileOf(row: DriveFileRow): DriveFile {
  const { fileId, bandId, path, size, hash, mimeType, revision, problem, hasNewerNamesake } = row;
  const modifiedAt = row.modifiedAt.toISOString();
  return { fileId, bandId, path, size, hash, mimeType, revision, modifiedAt, problem, hasNewerNamesake };
}

/** A row as its source sees it. */
export function knownFileOf(row: DriveFileRow): KnownFile {
  const { fileId, path, size, hash, mimeType, revision, sourceId, fingerprint, linkTarget, problem, hasNewerNamesake } = row;
  const modifiedAt = row.modifiedAt.toISOString();
  return {
    fileId,
    path,
    size,
    hash,
    mimeType,
    revision,
    modifiedAt,
    sourceId,
    fingerprint,
    linkTarget,
    problem,
    hasNewerNamesake,
    removed: row.removedAt !== null,
  };
}
