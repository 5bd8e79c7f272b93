import { ChangesApi } from './changes-api.js';
import type { ChangeLog } from './change-log.js';
import type { Clock } from './clock.js';
import { contentOf, type Content } from './content.js';
import { Credentials, type ServiceAccountKey, type UserCredential } from './credentials.js';
import { Faults } from './faults.js';
import { FilesApi } from './files-api.js';
import { Push } from './push.js';
import { googleLimits, Quota, type QuotaLimits } from './quota.js';
import { ApiServer } from './server.js';
import { folderType, newId, shortcutType, Store, type Item, type Revision } from './store.js';

export interface FakeDriveOptions {
  /** The system's by default. */
  clock: Clock;
  /** Google's by default. */
  limits: QuotaLimits;
}

export interface NewFile {
  /** The folder it is put into; the band's My Drive by default. */
  parent?: string;
  /** `application/octet-stream` by default. */
  mimeType?: string;
}

const documentType = 'application/vnd.google-apps.document';
export const bandEmail = 'band@example.test';

/**
 * A Google Drive of one's own, for tests: the parts of the Drive v3 API that a follower of files needs, over HTTP, with
 * the answers, the quota and the faults of the real one.
 *
 *     const drive = await FakeDrive.start();
 *     const id = drive.put('Waltz.cho', '{title: Waltz}');
 *     const client = officialClient(drive, drive.band);
 *     await client.files.get({ fileId: id });
 *
 * Every method that changes files takes effect at once, is in the change log when it returns, and is told to the open
 * notification channels.
 *
 * Where Google's behaviour is not documented, the fake takes what is harder for a follower: only the folder is in the change
 * list when a whole tree changes (`store.tellsDescendants`), and the minute of the quota slides.
 */
export class FakeDrive {
  readonly quota: Quota;
  readonly faults = new Faults();
  readonly push: Push;
  readonly store: Store;
  readonly files: FilesApi;
  readonly server: ApiServer;
  readonly credentials: Credentials;
  /** The user whose My Drive is the default. */
  readonly band: UserCredential;
  private readonly changes: ChangesApi;

  private constructor(
    private readonly clock: Clock,
    limits: QuotaLimits,
  ) {
    this.quota = new Quota(clock, limits);
    this.push = new Push(clock);
    this.credentials = new Credentials(clock);
    this.store = new Store(clock, (changes) => this.changes.record(changes));
    this.changes = new ChangesApi(this.store, this.push, clock, () => this.rootUrl);
    this.files = new FilesApi(this.store);
    this.server = new ApiServer(this.files, this.changes, this.credentials, this.quota, this.faults);
    this.band = this.account(bandEmail);
  }

  static async start(options: Partial<FakeDriveOptions> = {}): Promise<FakeDrive> {
    const drive = new FakeDrive(options.clock ?? Date, options.limits ?? googleLimits);
    await drive.server.listen();
    return drive;
  }

  async close(): Promise<void> {
    this.faults.clear();
    await this.server.close();
    await this.push.settled();
  }

  /** For the client's option `rootUrl`. */
  get rootUrl(): string {
    return this.server.rootUrl;
  }

  /** For `endpoints.oauth2TokenUrl`. */
  get tokenUrl(): string {
    return `${this.rootUrl}token`;
  }

  /** A user with a My Drive. */
  account(email: string): UserCredential {
    this.store.addUser(email);
    return this.credentials.user(email);
  }

  /** A service account; like any other it sees only what is shared with it. */
  serviceAccount(email = 'sync@band-project.iam.gserviceaccount.com'): ServiceAccountKey {
    this.store.addUser(email);
    return this.credentials.serviceAccount(email, this.tokenUrl);
  }

  /** The id of a user's My Drive. */
  rootOf(email: string): string {
    return this.store.rootOf(email);
  }

  sharedDrive(name: string, members: string[] = [bandEmail]): string {
    return this.store.addDrive(name, members);
  }

  folder(name: string, parent = this.rootOf(bandEmail)): string {
    return this.store.create({ name, mimeType: folderType, parent }).id;
  }

  /** A file with content. */
  put(name: string, content: string | Uint8Array | Content, options: NewFile = {}): string {
    const { parent = this.rootOf(bandEmail), mimeType = 'application/octet-stream' } = options;
    const item = this.store.create({ name, mimeType, parent, revisions: [this.revision(content, mimeType)] });
    return item.id;
  }

  /** New content: a new head revision. */
  write(id: string, content: string | Uint8Array | Content): string {
    return this.edit(id, (item) => {
      item.revisions.push(this.revision(content, item.mimeType));
      item.modifiedAt = this.clock.now();
    });
  }

  rename(id: string, name: string): string {
    return this.edit(id, (item) => (item.name = name));
  }

  move(id: string, parent: string): string {
    this.store.get(parent);
    return this.edit(id, (item) => (item.parent = parent));
  }

  trash(id: string): string {
    return this.edit(id, (item) => (item.trashed = true));
  }

  untrash(id: string): string {
    return this.edit(id, (item) => (item.trashed = false));
  }

  /** For good, with all below it. */
  delete(id: string): string {
    this.store.delete(id);
    return id;
  }

  shortcut(name: string, targetId: string, parent = this.rootOf(bandEmail)): string {
    return this.store.create({ name, mimeType: shortcutType, parent, shortcutTarget: targetId }).id;
  }

  /** A Google document, and the PDF it is exported to. */
  googleDoc(name: string, pdf: string | Uint8Array, parent = this.rootOf(bandEmail)): string {
    const exports = new Map([['application/pdf', asContent(pdf)]]);
    return this.store.create({ name, mimeType: documentType, parent, exports }).id;
  }

  /** Other words in a Google document: its version and time change, it has no revision of binary content. */
  editGoogleDoc(id: string, pdf: string | Uint8Array): string {
    return this.edit(id, (item) => {
      item.exports.set('application/pdf', asContent(pdf));
      item.modifiedAt = this.clock.now();
    });
  }

  /** Gives a user access to an item and all below it; to a shared drive: makes them a member. */
  share(id: string, email: string): string {
    return this.edit(id, ({ granted, denied }) => {
      denied.delete(email);
      granted.add(email);
    });
  }

  /** Takes it away again, also where it came from a folder above. To the user the item is `removed` then. */
  revokeAccess(id: string, email = bandEmail): string {
    return this.edit(id, ({ granted, denied }) => {
      granted.delete(email);
      denied.add(email);
    });
  }

  /** The owner lets nobody download this file; its metadata is still read. */
  forbidDownload(id: string): string {
    return this.edit(id, (item) => (item.canDownload = false));
  }

  /** What the application was allowed is taken back: the token endpoint says `invalid_grant`, the API 401. */
  revokeCredential(email = bandEmail): void {
    this.credentials.revoke(email);
  }

  /** The log that is read without `driveId`, or that of a shared drive; to have it repeat, lag or forget its tokens. */
  changeLog(driveId?: string): ChangeLog {
    return driveId === undefined ? this.changes.userLog : this.changes.driveLog(driveId);
  }

  private edit(id: string, change: (item: Item) => void): string {
    return this.store.edit(id, change).id;
  }

  private revision(content: string | Uint8Array | Content, mimeType: string): Revision {
    return { id: `0B${newId()}`, content: asContent(content), mimeType, modifiedAt: this.clock.now() };
  }
}

function asContent(content: string | Uint8Array | Content): Content {
  return typeof content === 'string' || content instanceof Uint8Array ? contentOf(content) : content;
}
