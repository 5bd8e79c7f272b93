import type { drive_v3 } from '@googleapis/drive';
import type { Fingerprint } from '../provider.js';

const folderType = 'application/vnd.google-apps.folder';
const shortcutType = 'application/vnd.google-apps.shortcut';
const googleTypes = 'application/vnd.google-apps.';
/** Documents that have no bytes of their own and can be exported as a PDF. Others of Google's are no files of a band. */
const exportableTypes = new Set(
  ['document', 'spreadsheet', 'presentation', 'drawing'].map((name) => `${googleTypes}${name}`),
);

/** What is asked of each file. */
export const itemFields =
  'id,name,mimeType,parents,trashed,createdTime,modifiedTime,size,md5Checksum,sha256Checksum,headRevisionId,' +
  'shortcutDetails(targetId,targetMimeType),capabilities(canDownload)';

/** A folder of Drive. The band's own has no parent here: what is above it is none of the band's business. */
export interface Folder {
  kind: 'folder';
  id: string;
  name: string;
  parent: string | null;
}

/** A file of Drive, a document of Google's, or a shortcut. */
export interface FileItem {
  kind: 'binary' | 'document' | 'shortcut';
  id: string;
  name: string;
  parent: string;
  /** ISO 8601, as are the next. */
  createdAt: string;
  modifiedAt: string;
  /** Bytes; 0 of documents and shortcuts. */
  size: number;
  /** Hex; empty where Google tells none. */
  sha256: string;
  md5: string;
  /** Differs whenever the bytes may: the head revision; of documents, which have none, when they were modified. */
  version: string;
  canDownload: boolean;
  /** Of a shortcut, else empty. */
  targetId: string;
  targetIs: 'folder' | 'document' | 'binary' | '';
}

export type Item = Folder | FileItem;

/** @returns null for what is trashed, lies nowhere, or is no file of a band (a form, a map) */
export function itemOf(file: drive_v3.Schema$File): Item | null {
  const { id, mimeType } = file;
  const name = wellFormed(file.name ?? '');
  const parent = file.parents?.[0] ?? null;
  if (!id || !mimeType || file.trashed) return null;
  if (mimeType === folderType) return { kind: 'folder', id, name, parent };
  const kind = kindOf(mimeType);
  if (!kind || kind === 'folder' || parent === null) return null;
  const modifiedAt = file.modifiedTime ?? new Date(0).toISOString();
  return {
    kind,
    id,
    name,
    parent,
    createdAt: file.createdTime ?? '',
    modifiedAt,
    // Documents have one too: what they take of the storage.
    size: kind === 'binary' ? Number(file.size ?? 0) : 0,
    sha256: file.sha256Checksum ?? '',
    md5: file.md5Checksum ?? '',
    version: kind === 'binary' ? (file.headRevisionId ?? '') : kind === 'document' ? modifiedAt : '',
    // Of documents, whether they can be exported is found out by exporting.
    canDownload: kind !== 'binary' || file.capabilities?.canDownload !== false,
    targetId: file.shortcutDetails?.targetId ?? '',
    targetIs: targetKindOf(file.shortcutDetails?.targetMimeType),
  };
}

/** An item as the change log keeps it, beside what it was found to hold. */
export function fingerprintOf(item: FileItem): Fingerprint {
  const { kind, name, parent, createdAt, modifiedAt, size, sha256, md5, version, canDownload, targetId, targetIs } = item;
  return {
    kind,
    name,
    parent,
    createdAt,
    modifiedAt,
    size: String(size),
    sha256,
    md5,
    version,
    canDownload: String(canDownload),
    targetId,
    targetIs,
  };
}

/** The item that had this fingerprint. */
export function itemFrom(id: string, fingerprint: Fingerprint): FileItem {
  const { size, canDownload, ...rest } = fingerprint as Record<keyof FileItem, string>;
  return { ...(rest as unknown as FileItem), id, size: Number(size), canDownload: canDownload === 'true' };
}

export function sameFingerprint(one: Fingerprint, other: Fingerprint): boolean {
  return Object.entries(one).every(([name, value]) => other[name] === value);
}

/**
 * The name of an item as a part of a path. Drive allows what paths do not: a slash becomes the wide one, as other tools
 * have it, and `.` and `..` become wide too. A document is called what it is exported to.
 */
export function partOf(item: Item): string {
  const name = item.name.replaceAll('/', '／') || '_';
  const part = name === '.' || name === '..' ? name.replaceAll('.', '．') : name;
  const isDocument = item.kind === 'document' || (item.kind === 'shortcut' && item.targetIs === 'document');
  return isDocument && !/\.pdf$/i.test(part) ? `${part}.pdf` : part;
}

/** The database stores neither half of a surrogate pair nor NUL. */
function wellFormed(name: string): string {
  return Buffer.from(name).toString().replaceAll('\0', '␀');
}

function kindOf(mimeType: string): Item['kind'] | null {
  if (mimeType === folderType) return 'folder';
  if (mimeType === shortcutType) return 'shortcut';
  if (exportableTypes.has(mimeType)) return 'document';
  return mimeType.startsWith(googleTypes) ? null : 'binary';
}

function targetKindOf(mimeType: string | null | undefined): FileItem['targetIs'] {
  const kind = mimeType ? kindOf(mimeType) : null;
  return kind === 'shortcut' || kind === null ? '' : kind;
}
