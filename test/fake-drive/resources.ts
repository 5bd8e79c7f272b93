import type { LoggedChange } from './change-log.js';
import type { Known } from './fields.js';
import { folderType, shortcutType, type Item, type Revision, type Store } from './store.js';

/** What a file answers with where no fields are asked for. */
export const defaultFileFields = 'kind,id,name,mimeType,driveId';

const file: Known = {
  kind: true,
  id: true,
  name: true,
  mimeType: true,
  parents: true,
  trashed: true,
  explicitlyTrashed: true,
  version: true,
  createdTime: true,
  modifiedTime: true,
  size: true,
  md5Checksum: true,
  sha256Checksum: true,
  headRevisionId: true,
  originalFilename: true,
  fileExtension: true,
  shortcutDetails: { targetId: true, targetMimeType: true },
  driveId: true,
  capabilities: { canDownload: true, canEdit: true, canListChildren: true },
};
const drive: Known = { kind: true, id: true, name: true };
const change: Known = {
  kind: true,
  type: true,
  changeType: true,
  time: true,
  removed: true,
  fileId: true,
  file,
  driveId: true,
  drive,
};
const revision: Known = {
  kind: true,
  id: true,
  mimeType: true,
  modifiedTime: true,
  size: true,
  md5Checksum: true,
  keepForever: true,
};

/** The fields of each answer; asking for another one is an error. */
export const known = {
  file,
  fileList: { kind: true, incompleteSearch: true, nextPageToken: true, files: file },
  changeList: { kind: true, nextPageToken: true, newStartPageToken: true, changes: change },
  startPageToken: { kind: true, startPageToken: true },
  revision,
  revisionList: { kind: true, nextPageToken: true, revisions: revision },
  channel: { kind: true, id: true, resourceId: true, resourceUri: true, token: true, expiration: true },
  drive,
} satisfies Record<string, Known>;

/** A file as the API tells it, with every field the fake has. */
export function fileResource(store: Store, item: Item): Record<string, unknown> {
  const head = item.revisions.at(-1);
  const target = item.shortcutTarget === null ? undefined : store.find(item.shortcutTarget);
  return {
    kind: 'drive#file',
    id: item.id,
    name: item.name,
    mimeType: item.mimeType,
    parents: item.parent === null ? undefined : [item.parent],
    trashed: store.isTrashed(item),
    explicitlyTrashed: item.trashed,
    version: String(item.version),
    createdTime: time(item.createdAt),
    modifiedTime: time(item.modifiedAt),
    // Google documents have a size too: what they take of the storage, not that of any export.
    size: head ? String(head.content.size) : item.exports.size > 0 ? '1024' : undefined,
    // Counted only for those who ask: that of gigabytes takes seconds.
    get md5Checksum() {
      return head?.content.md5;
    },
    get sha256Checksum() {
      return head?.content.sha256;
    },
    headRevisionId: head?.id,
    originalFilename: head && item.name,
    fileExtension: head && /(?<=\.)[^.]+$/.exec(item.name)?.[0],
    shortcutDetails:
      item.mimeType === shortcutType
        ? { targetId: item.shortcutTarget, targetMimeType: target?.mimeType ?? 'application/octet-stream' }
        : undefined,
    driveId: store.driveOf(item) ?? undefined,
    capabilities: {
      canDownload: item.canDownload,
      canEdit: true,
      canListChildren: item.mimeType === folderType,
    },
  };
}

/** @param file left out where the user may not know it any more */
export function changeResource(
  { fileId, at }: LoggedChange,
  removed: boolean,
  file?: Record<string, unknown>,
): Record<string, unknown> {
  return {
    kind: 'drive#change',
    type: 'file',
    changeType: 'file',
    time: time(at),
    removed,
    fileId,
    file,
    driveId: file?.driveId,
  };
}

/** That a shared drive came, changed or, without a name, went. */
export function driveChangeResource({ fileId, at }: LoggedChange, name?: string): Record<string, unknown> {
  return {
    kind: 'drive#change',
    type: 'drive',
    changeType: 'drive',
    time: time(at),
    removed: name === undefined,
    driveId: fileId,
    drive: name === undefined ? undefined : driveResource(fileId, name),
  };
}

export function driveResource(id: string, name: string): Record<string, unknown> {
  return { kind: 'drive#drive', id, name };
}

export function revisionResource({ id, content, mimeType, modifiedAt }: Revision): Record<string, unknown> {
  return {
    kind: 'drive#revision',
    id,
    mimeType,
    modifiedTime: time(modifiedAt),
    size: String(content.size),
    md5Checksum: content.md5,
    keepForever: false,
  };
}

/** RFC 3339 with milliseconds, in UTC. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}
