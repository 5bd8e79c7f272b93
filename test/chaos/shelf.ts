import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as pass } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { OnQuestion, type Answer, type Ask } from '@soleil/bus';
import { Random } from './random.js';

const bytesOfVersion = 6;
const bands = 10;

/** Files and their versions, in a file that all processes share and that outlives each of them. */
export class Shelf {
  private constructor(private readonly descriptor: number) {}

  /** An empty shelf: every file at version 0. */
  static build(path: string, files: number): Shelf {
    const descriptor = openSync(path, 'w+');
    ftruncateSync(descriptor, files * bytesOfVersion);
    return new Shelf(descriptor);
  }

  static open(path: string): Shelf {
    return new Shelf(openSync(path, 'r+'));
  }

  version(file: number): number {
    const bytes = Buffer.alloc(bytesOfVersion);
    readSync(this.descriptor, bytes, 0, bytesOfVersion, file * bytesOfVersion);
    return bytes.readUIntBE(0, bytesOfVersion);
  }

  /** For one writer. @returns the new version */
  change(file: number): number {
    const bytes = Buffer.alloc(bytesOfVersion);
    const version = this.version(file) + 1;
    bytes.writeUIntBE(version, 0, bytesOfVersion);
    writeSync(this.descriptor, bytes, 0, bytesOfVersion, file * bytesOfVersion);
    return version;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

export const fileIdOf = (file: number): string => `f${file}`;
export const bandIdOf = (file: number): string => `b${file % bands}`;
const fileOf = (fileId: string): number => Number(fileId.slice(1));

/** Stands in for Drive and Content: a file is what the shelf says, and to understand it takes some milliseconds. */
@Injectable()
export class ShelfBand {
  constructor(
    private readonly shelf: Shelf,
    private readonly files: number,
    private readonly random: Random,
  ) {}

  @OnQuestion('drive.file_requested')
  file({ fileId }: Ask<'drive.file_requested'>): Answer<'drive.file_requested'> {
    const revision = this.shelf.version(fileOf(fileId));
    const hash = String(revision);
    const state = { path: `${fileId}.txt`, size: 0, hash, mimeType: 'text/plain', modifiedAt: '2026-01-01T00:00:00.000Z' };
    const bandId = bandIdOf(fileOf(fileId));
    return { state: 'present', file: { ...state, fileId, bandId, revision, problem: null, hasNewerNamesake: false } };
  }

  @OnQuestion('content.parse_requested')
  async parse(): Promise<Answer<'content.parse_requested'>> {
    await pass(this.random.between(3, 50));
    return { audience: null, content: {} };
  }

  @OnQuestion('drive.bands_requested')
  bandIds(): Answer<'drive.bands_requested'> {
    return { bandIds: Array.from({ length: bands }, (_, band) => bandIdOf(band)) };
  }

  @OnQuestion('drive.files_requested')
  fileIds({ bandId }: Ask<'drive.files_requested'>): Answer<'drive.files_requested'> {
    const all = Array.from({ length: this.files }, (_, file) => file);
    return { fileIds: all.filter((file) => bandIdOf(file) === bandId).map(fileIdOf) };
  }

  @OnQuestion('drive.rescan_requested')
  rescan(): Answer<'drive.rescan_requested'> {
    return { changes: 0, found: [] };
  }
}
