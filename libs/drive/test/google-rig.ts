import { buffer } from 'node:stream/consumers';
import { GoogleDriveProvider, type DriveOptions, type GoogleCredentials, type GoogleDriveOptions } from '@soleil/drive';
import { FakeDrive, type FakeDriveOptions } from '../../../test/fake-drive/fake-drive.js';
import type { Operation } from '../../../test/fake-drive/operation.js';
import { bandId, DriveRig, type Platform } from './drive-rig.js';

export interface GoogleRigOptions {
  google?: Partial<GoogleDriveOptions>;
  /** Those of the fake's user by default. */
  credentials?: (fake: FakeDrive) => GoogleCredentials;
  drive?: Partial<DriveOptions>;
  fake?: Partial<FakeDriveOptions>;
}

/** A band's folder in a Google Drive of the test's own, a database, and the platforms that share them. */
export class GoogleRig {
  private constructor(
    readonly fake: FakeDrive,
    /** The id of the band's folder. */
    readonly folder: string,
    readonly rig: DriveRig,
  ) {}

  /** With the folder there, empty, and no platform running yet. Nothing is asked of Drive but when a test wants it. */
  static async build({
    google,
    credentials = consent,
    drive,
    fake: fakeOptions,
  }: GoogleRigOptions = {}): Promise<GoogleRig> {
    const fake = await FakeDrive.start(fakeOptions);
    const provider = new GoogleDriveProvider({
      credentials: credentials(fake),
      rootUrl: fake.rootUrl,
      tokenUrl: fake.tokenUrl,
      pollIntervalMs: 3_600_000,
      ...google,
    });
    const rig = await DriveRig.build({ ...drive, providers: [provider] });
    return new GoogleRig(fake, fake.folder('The Band'), rig);
  }

  /** Starts a platform, and resolves when the folder is compared for the first time. */
  static async running(options: GoogleRigOptions = {}): Promise<GoogleRig> {
    const google = await GoogleRig.build(options);
    await google.start();
    await google.settled();
    return google;
  }

  async start(settings: object = { folderId: this.folder }): Promise<Platform> {
    return this.rig.start({ bandId, provider: 'google', settings });
  }

  /** Stops the platform that was started last, and starts another on the same database. */
  async restart(settings?: object): Promise<Platform> {
    await this.rig.platforms.at(-1)!.stop();
    return this.start(settings);
  }

  put(name: string, content: string | Uint8Array, parent = this.folder): string {
    return this.fake.put(name, content, { parent });
  }

  /** Brings the change log up to Drive, and resolves when all of it was told. */
  async settled(): Promise<void> {
    await this.rig.settled();
  }

  /** What was told since this was asked the last time, sorted. */
  news(): string[] {
    const told = this.rig.told.sort();
    this.rig.audience.told = [];
    return told;
  }

  async bytesOf(path: string): Promise<string> {
    const opened = await this.rig.drive.open((await this.rig.file(path)).fileId);
    return (await buffer(opened.stream)).toString();
  }

  /** How often Drive was asked for something of this kind. */
  asked(operation: Operation): number {
    return this.fake.server.served.filter((request) => request.operation === operation).length;
  }

  async tearDown(): Promise<void> {
    await this.rig.tearDown();
    await this.fake.close();
  }
}

function consent({ band: { clientId, clientSecret, refreshToken } }: FakeDrive): GoogleCredentials {
  return { clientId, clientSecret, refreshToken };
}
