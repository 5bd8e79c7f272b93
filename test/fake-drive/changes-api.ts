import { ApiError } from './api-error.js';
import { channelResource, newChannel } from './channel.js';
import { ChangeLog, type LoggedChange } from './change-log.js';
import type { Clock } from './clock.js';
import type { Push } from './push.js';
import { includesAllDrives, jsonOf, type ApiRequest, type Parameters } from './request.js';
import { changeResource, defaultFileFields, driveChangeResource, driveResource, fileResource, known } from './resources.js';
import type { Store, StoredChange } from './store.js';

type Json = Record<string, unknown>;

/** `changes` and `channels`. */
export class ChangesApi {
  /** The log that users read without a `driveId`. */
  readonly userLog = new ChangeLog(1_000);
  private readonly driveLogs = new Map<string, ChangeLog>();

  constructor(
    private readonly store: Store,
    private readonly push: Push,
    private readonly clock: Clock,
    private readonly rootUrl: () => string,
  ) {}

  record(changes: StoredChange[]): void {
    const now = this.clock.now();
    for (const change of changes) {
      this.userLog.record(change, now);
      for (const driveId of change.driveIds) this.driveLog(driveId).record(change, now);
    }
    this.push.notify(changes);
  }

  /** The log of one shared drive. */
  driveLog(driveId: string): ChangeLog {
    let log = this.driveLogs.get(driveId);
    if (!log) this.driveLogs.set(driveId, (log = new ChangeLog(1_000_000 * (this.driveLogs.size + 1))));
    return log;
  }

  getStartPageToken(request: ApiRequest): Json {
    const answer = { kind: 'drive#startPageToken', startPageToken: this.log(request).startPageToken };
    return request.parameters.selected(answer, known.startPageToken, '*');
  }

  list(request: ApiRequest): Json {
    const { parameters } = request;
    const takesDrives = includesAllDrives(parameters);
    const page = this.log(request).page(parameters.required('pageToken'), parameters.pageSize, (change) =>
      this.told(change, request, takesDrives),
    );
    return parameters.selected(
      { kind: 'drive#changeList', ...page },
      known.changeList,
      `kind,nextPageToken,newStartPageToken,changes(kind,type,changeType,time,removed,fileId,driveId,file(${defaultFileFields}))`,
    );
  }

  /** @returns the answer, and what is to be called when it is out */
  async watch(request: ApiRequest): Promise<{ answer: Json; afterwards: () => void }> {
    const { parameters, user } = request;
    includesAllDrives(parameters);
    const pageToken = parameters.required('pageToken');
    this.log(request).check(pageToken);
    const resourceUri = `${this.rootUrl()}drive/v3/changes?alt=json&pageToken=${pageToken}`;
    const driveId = parameters.text('driveId') ?? null;
    const channel = newChannel(jsonOf(request), { user, driveId, resourceUri }, this.clock.now());
    const afterwards = await this.push.open(channel);
    return { answer: parameters.selected(channelResource(channel), known.channel, '*'), afterwards };
  }

  stop(request: ApiRequest): void {
    const { id, resourceId } = jsonOf(request);
    this.push.stop(id, resourceId);
  }

  getDrive(request: ApiRequest): Json {
    const id = request.ids[0]!;
    return request.parameters.selected(driveResource(id, this.drive(id, request.user)), known.drive, '*');
  }

  /** What a change looks like to this user, undefined where it does not concern them. */
  private told(change: LoggedChange, { user, parameters }: ApiRequest, takesDrives: boolean): Json | undefined {
    if (!change.audience.has(user)) return undefined;
    const driveId = parameters.text('driveId');
    const item = this.store.find(change.fileId);
    const isAccessible = item !== undefined && this.store.sees(user, item);
    const itsDrive = isAccessible ? this.store.driveOf(item) : change.driveId;
    if (itsDrive !== null && !takesDrives) return undefined;
    if (change.fileId === change.driveId) return this.toldOfDrive(change, user, parameters);
    if (isAccessible && parameters.flag('restrictToMyDrive') && !this.store.isInMyDrive(user, item)) return undefined;

    const isInCorpus = driveId === undefined || itsDrive === driveId;
    if (isAccessible && isInCorpus) return changeResource(change, false, fileResource(this.store, item));
    if (!parameters.flag('includeRemoved', true)) return undefined;
    const isTold = isAccessible && parameters.flag('includeCorpusRemovals');
    return changeResource(change, true, isTold ? fileResource(this.store, item) : undefined);
  }

  private toldOfDrive(change: LoggedChange, user: string, parameters: Parameters): Json | undefined {
    const drive = this.store.find(change.fileId);
    if (drive && this.store.sees(user, drive)) return driveChangeResource(change, this.store.driveName(drive.id));
    return parameters.flag('includeRemoved', true) ? driveChangeResource(change) : undefined;
  }

  /** @throws ApiError 404 */
  private log({ user, parameters }: ApiRequest): ChangeLog {
    const driveId = parameters.text('driveId');
    if (driveId === undefined) return this.userLog;
    if (!parameters.flag('supportsAllDrives')) throw driveNotFound(driveId);
    this.drive(driveId, user);
    return this.driveLog(driveId);
  }

  /**
   * The name of a shared drive.
   * @throws ApiError 404 for one that the user is no member of
   */
  private drive(driveId: string, user: string): string {
    const name = this.store.driveName(driveId);
    if (name !== undefined && this.store.sees(user, this.store.get(driveId))) return name;
    throw driveNotFound(driveId);
  }
}

function driveNotFound(driveId: string): ApiError {
  return new ApiError(404, 'notFound', `Shared drive not found: ${driveId}`, {
    location: 'driveId',
    locationType: 'parameter',
  });
}
