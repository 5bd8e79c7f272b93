import { ApiError, fileNotFound, invalidValue } from './api-error.js';
import type { Content } from './content.js';
import { parseQuery } from './query.js';
import { includesAllDrives, type ApiRequest, type Parameters } from './request.js';
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
  /** Every page of a listing leads back to the first. */
  listsInCircles = false;

  constructor(private readonly store: Store) {}

  get(request: ApiRequest): Json {
    const item = this.visible(request);
    return request.parameters.selected(fileResource(this.store, item), known.file, defaultFileFields);
  }

  list({ user, parameters }: ApiRequest): Json {
    const driveId = driveOfList(parameters);
    const takesDrives = includesAllDrives(parameters);
    const q = parameters.text('q');
    const matches = q === undefined ? (): boolean => true : parseQuery(q, this.store, user);
    const isAskedFor = (item: Item): boolean => {
      const drive = this.store.driveOf(item);
      return (driveId === undefined || drive === driveId) && (takesDrives || drive === null);
    };
    const after = serialOf(parameters.text('pageToken'));
    const found = [...this.store.all()].filter(
      (item) =>
        item.serial > after && item.parent !== null && matches(item) && this.store.sees(user, item) && isAskedFor(item),
    );
    const page = found.slice(0, parameters.pageSize);
    const answer = {
      kind: 'drive#fileList',
      incompleteSearch: false,
      files: page.map((item) => fileResource(this.store, item)),
      nextPageToken: this.listsInCircles
        ? tokenAfter({ serial: 0 })
        : page.length < found.length
          ? tokenAfter(page.at(-1)!)
          : undefined,
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

/** A page token names the last file of the page before, so that what comes and goes meanwhile moves nothing else. */
function tokenAfter({ serial }: Pick<Item, 'serial'>): string {
  return `~!!~${Buffer.from(String(serial)).toString('base64url')}`;
}

function serialOf(pageToken = tokenAfter({ serial: 0 })): number {
  const serial = Number(Buffer.from(pageToken.replace(/^~!!~/, ''), 'base64url').toString());
  if (tokenAfter({ serial }) !== pageToken) throw invalidValue('pageToken');
  return serial;
}

/**
 * The shared drive to list; undefined for all that the user sees.
 * @throws ApiError 403 where the parameters contradict each other
 */
function driveOfList(parameters: Parameters): string | undefined {
  const driveId = parameters.text('driveId');
  if ((driveId !== undefined) === (parameters.text('corpora') === 'drive')) return driveId;
  throw new ApiError(
    403,
    'teamDriveIdRequiresTeamDriveCorpora',
    'The driveId parameter must be specified if and only if corpora is set to drive.',
  );
}

function cannotDownload(): ApiError {
  return new ApiError(403, 'cannotDownloadFile', 'This file cannot be downloaded by the user.');
}
