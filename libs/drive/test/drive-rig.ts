import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Bus, BusModule, OnFact, type DriveFile, type FactName, type FileFact, type Receipt } from '@soleil/bus';
import { DriveModule, DriveService, driveEntities, driveMigrations, type DriveOptions } from '@soleil/drive';
import { DataSource } from 'typeorm';
import { migratedDatabase, type TestDatabase } from '../../../test/support/database.js';

export interface Told extends FileFact {
  name: FactName;
  /** Milliseconds, of the monotonic clock. */
  toldAt: number;
}

export const bandId = 'band-1';

/** Hears the facts of every platform of a rig, as Sync would. */
export class Audience {
  told: Told[] = [];
  /** The ids of all that was ever told, though `told` may have been emptied. */
  readonly eventIds = new Set<string>();
  /** Called before the receipt is given; what it throws is thrown at Drive. */
  beforeReceipt: (told: Told) => void | Promise<void> = () => undefined;
  private readonly waiting = new Set<() => void>();

  async hear(name: FactName, fact: FileFact): Promise<Receipt> {
    const told = { ...fact, name, toldAt: performance.now() };
    await this.beforeReceipt(told);
    this.told.push(told);
    this.eventIds.add(fact.eventId);
    for (const check of this.waiting) check();
    return { receipt: fact.eventId };
  }

  /** Resolves as soon as the condition holds for what was told so far. */
  async until(condition: (told: Told[]) => boolean): Promise<void> {
    if (condition(this.told)) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition(this.told)) return;
        this.waiting.delete(check);
        resolve();
      };
      this.waiting.add(check);
    });
  }

  /** `added a.cho 1`, in the order of telling. */
  get lines(): string[] {
    return this.told.map(({ name, path, revision }) => `${name.replace('drive.file_', '')} ${path} ${revision}`);
  }
}

/** One running platform with Drive and a listener. */
export class Platform {
  private constructor(
    readonly module: TestingModule,
    readonly drive: DriveService,
    readonly bus: Bus,
    readonly dataSource: DataSource,
  ) {}

  static async boot(url: string, audience: Audience, options: Partial<DriveOptions>): Promise<Platform> {
    @Injectable()
    class Listener {
      @OnFact('drive.file_added')
      added(fact: FileFact): Promise<Receipt> {
        return audience.hear('drive.file_added', fact);
      }

      @OnFact('drive.file_changed')
      changed(fact: FileFact): Promise<Receipt> {
        return audience.hear('drive.file_changed', fact);
      }

      @OnFact('drive.file_removed')
      removed(fact: FileFact): Promise<Receipt> {
        return audience.hear('drive.file_removed', fact);
      }
    }
    const module = await Test.createTestingModule({
      imports: [
        BusModule,
        TypeOrmModule.forRoot({ type: 'postgres', url, entities: driveEntities }),
        DriveModule.forRoot(options),
      ],
      providers: [Listener],
    }).compile();
    module.useLogger(process.env['DRIVE_LOG'] ? console : false);
    await module.init();
    return new Platform(module, module.get(DriveService), module.get(Bus), module.get(DataSource));
  }

  async stop(): Promise<void> {
    await this.module.close();
  }
}

/** A band's folder in a temporary place, a database, and the platforms that share them. */
export class DriveRig {
  readonly audience = new Audience();
  readonly platforms: Platform[] = [];

  private constructor(
    private readonly place: string,
    readonly database: TestDatabase,
    /** Those of the platforms that are started from now on. */
    readonly options: Partial<DriveOptions>,
  ) {}

  /** With the folder there, empty, and no platform running yet. */
  static async build(options: Partial<DriveOptions> = {}): Promise<DriveRig> {
    const place = await realpath(await mkdtemp(join(tmpdir(), 'soleil-drive-')));
    const rig = new DriveRig(place, await migratedDatabase('drive', migrate), options);
    await mkdir(rig.root);
    return rig;
  }

  /** Boots a platform and resolves when the folder is compared for the first time. */
  static async running(options: Partial<DriveOptions> = {}): Promise<DriveRig> {
    const rig = await DriveRig.build(options);
    await rig.boot();
    return rig;
  }

  get root(): string {
    return join(this.place, 'band folder');
  }

  /** A place outside the band's folder. */
  get outside(): string {
    return this.place;
  }

  get drive(): DriveService {
    return this.platforms.at(-1)!.drive;
  }

  get bus(): Bus {
    return this.platforms.at(-1)!.bus;
  }

  get told(): string[] {
    return this.audience.lines;
  }

  at(path: string): string {
    return join(this.root, path);
  }

  async boot(): Promise<Platform> {
    const platform = await this.start();
    await platform.drive.rescan(bandId);
    return platform;
  }

  /** Boots without waiting for the folder; or with another provider. */
  async start(connection = { bandId, provider: 'folder', settings: { root: this.root } as object }): Promise<Platform> {
    const platform = await Platform.boot(this.database.url, this.audience, this.options);
    this.platforms.push(platform);
    await platform.drive.connect(connection);
    return platform;
  }

  async write(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(this.at(path)), { recursive: true });
    await writeFile(this.at(path), content);
  }

  async move(from: string, to: string): Promise<void> {
    await rename(this.at(from), this.at(to));
  }

  /** Compares the folder, and resolves when everything committed so far was told, and is known to be. */
  async settled(): Promise<void> {
    await this.drive.rescan(bandId);
    await this.toldAll();
  }

  async toldAll(): Promise<void> {
    const rows = await this.query<{ event_id: string }>('select event_id from drive_change');
    await this.audience.until(() => rows.every((row) => this.audience.eventIds.has(row.event_id)));
    // A receipt is given before the cursor moves over it.
    while ((await this.drive.status(bandId)).pendingChanges > 0);
  }

  async query<Row>(sql: string): Promise<Row[]> {
    return this.platforms.at(-1)!.dataSource.query(sql);
  }

  async file(path: string): Promise<DriveFile> {
    const file = (await this.drive.files(bandId)).find((one) => one.path === path);
    if (!file) throw new Error(`there is no file ${path}`);
    return file;
  }

  async paths(): Promise<string[]> {
    return (await this.drive.files(bandId)).map((file) => file.path);
  }

  async tearDown(): Promise<void> {
    await Promise.all(this.platforms.map((platform) => platform.stop()));
    await this.database.drop();
    await rm(this.place, { recursive: true, force: true });
  }
}

async function migrate(url: string): Promise<void> {
  const dataSource = await new DataSource({ type: 'postgres', url, migrations: driveMigrations }).initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
}
