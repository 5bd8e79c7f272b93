import { ApiError, fileNotFound, invalidValue } from './api-error.js';
import type { Content } from './content.js';
import { parseQuery } from './query.js';
import { includesAllDrives, type ApiRequest } from './request.js';
import { defaultFileFields, fileResource, known, revisionResource } from './resources.js';
import type { Item, Revision, Store } from './store.js';

type Json = Record<string, unknown>;

/** Bytes to answer with. */
export interface Media {
  content: Content;
  mimeType: string;
}

/** `files` and `revisions`. */
export class FilesApi {
  constructor(private readonly store: Store) {}

  get(request: ApiRequest): Json {
    const item = this.visible(request);
    return request.parameters.selected(fileResource(this.store, item), known.file, defaultFileFields);
  }

  list({ user, parameters }: ApiRequest): Json {
    const matches = parseQuery(parameters.text('q') ?? 'trashed = false or trashed = true', this.store, user);
    const driveId = parameters.text('driveId');
    const takesDrives = includesAllDrives(parameters);
    const isAskedFor = (item: Item): boolean => {
      const drive = this.store.driveOf(item);
      return (driveId === undefined || drive === driveId) && (takesDrives || drive === null);
    };
    const found = [...this.store.all()].filter(
      (item) => item.parent !== null && this.store.sees(user, item) && isAskedFor(item) && matches(item),
    );
    const start = positionOf(parameters.text('pageToken'), found);
    const page = found.slice(start, start + parameters.pageSize);
    const isLast = start + page.length >= found.length;
    const answer = {
      kind: 'drive#fileList',
      incompleteSearch: false,
      files: page.map((item) => fileResource(this.store, item)),
      nextPageToken: isLast ? undefined : tokenAfter(page.at(-1)!),
    };
    return parameters.selected(answer, known.fileList, `kind,incompleteSearch,nextPageToken,files(${defaultFileFields})`);
  }

  /** @throws ApiError 403 `fileNotDownloadable`, `cannotDownloadFile` */
  download(request: ApiRequest): Media {
    return this.revisions(this.visible(request)).at(-1)!;
  }

  /** @throws ApiError 400, 403 `fileNotExportable` */
  export(request: ApiRequest): Media {
    const mimeType = request.parameters.required('mimeType');
    const { exports, canDownload } = this.visible(request, true);
    if (exports.size === 0) {
      throw new ApiError(403, 'fileNotExportable', 'Export only supports Docs Editors files.');
    }
    if (!canDownload) throw cannotDownload();
    const content = exports.get(mimeType);
    if (!content) throw invalidValue('mimeType', 'The requested conversion is not supported.');
    return { content, mimeType };
  }

  listRevisions(request: ApiRequest): Json {
    const revisions = this.revisions(this.visible(request, true)).map(revisionResource);
    return request.parameters.selected(
      { kind: 'drive#revisionList', revisions },
      known.revisionList,
      'kind,nextPageToken,revisions(kind,id,mimeType,modifiedTime)',
    );
  }

  getRevision(request: ApiRequest): Json {
    return request.parameters.selected(
      revisionResource(this.downloadRevision(request)),
      known.revision,
      'kind,id,mimeType,modifiedTime',
    );
  }

  downloadRevision(request: ApiRequest): Revision {
    const [, revisionId] = request.ids;
    const revision = this.revisions(this.visible(request, true)).find(({ id }) => id === revisionId);
    if (revision) return revision;
    throw new ApiError(404, 'notFound', `Revision not found: ${revisionId}.`, {
      location: 'revisionId',
      locationType: 'parameter',
    });
  }

  private revisions({ revisions, canDownload }: Item): Revision[] {
    if (revisions.length === 0) {
      throw new ApiError(
        403,
        'fileNotDownloadable',
        'Only files with binary content can be downloaded. Use Export with Docs Editors files.',
        { location: 'alt', locationType: 'parameter' },
      );
    }
    if (!canDownload) throw cannotDownload();
    return revisions;
  }

  /**
   * `files.export` and `revisions` have no parameter `supportsAllDrives`; they do.
   * @throws ApiError 404, also for files of shared drives to clients that do not support them
   */
  private visible({ ids, user, parameters }: ApiRequest, supportsAllDrives = parameters.flag('supportsAllDrives')): Item {
    const id = ids[0] === 'root' ? this.store.rootOf(user) : ids[0]!;
    const item = this.store.find(id);
    if (!item || !this.store.sees(user, item)) throw fileNotFound(id);
    if (!supportsAllDrives && this.store.driveOf(item) !== null) throw fileNotFound(id);
    return item;
  }
}

/** A page token names the last file of the page before. */
function tokenAfter({ id }: Item): string {
  return `~!!~${Buffer.from(id).toString('base64url')}`;
}

function positionOf(pageToken: string | undefined, found: Item[]): number {
  if (pageToken === undefined) return 0;
  const last = found.findIndex((item) => tokenAfter(item) === pageToken);
  if (last === -1) throw invalidValue('pageToken');
  return last + 1;
}

function cannotDownload(): ApiError {
  return new ApiError(403, 'cannotDownloadFile', 'This file cannot be downloaded by the user.');
}
