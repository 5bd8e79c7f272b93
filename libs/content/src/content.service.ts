import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Role } from '@soleil/bus';
import type { ContentSummary } from '@soleil/sync-protocol';
import { In, IsNull, Not, type Repository } from 'typeorm';
import { audiencesFor } from './audience.js';
import { ContentFile } from './content-file.entity.js';

/** A file as Content knows it. */
export interface LibraryFile {
  fileId: string;
  /** The revision that `content` describes. */
  revision: number;
  /** Path inside the band's folder. */
  path: string;
  content: ContentSummary;
}

/** The files of one song. */
export interface LibrarySong {
  songId: string;
  /** As its chord chart says, else as its files are named. */
  title: string;
  /** Ascending by path. */
  files: LibraryFile[];
}

/** Reads what Content knows. Nothing here asks who may see it: pass the audiences that somebody belongs to. */
@Injectable()
export class ContentService {
  constructor(@InjectRepository(ContentFile) private readonly files: Repository<ContentFile>) {}

  /** The songs of a band, ascending by title, with the files for the whole band and for `audiences`. */
  async library(bandId: string, audiences: string[]): Promise<LibrarySong[]> {
    const songs = new Map<string, LibraryFile[]>();
    for (const file of await this.visible(bandId, audiences)) {
      const { songId } = file.content;
      if (songId !== null) songs.set(songId, [...(songs.get(songId) ?? []), file]);
    }
    return [...songs].map(([songId, files]) => ({ songId, title: titleOf(files), files })).sort(byTitle);
  }

  /** The setlists of a band, the latest date first and undated ones last. */
  async setlists(bandId: string): Promise<LibraryFile[]> {
    const setlists = await this.visible(bandId, [], 'setlist');
    const date = ({ content }: LibraryFile): string => content.setlist?.date ?? '';
    return setlists.sort((a, b) => date(b).localeCompare(date(a)) || byTitle(a.content, b.content));
  }

  /** Files that belong to no song and are no setlist, each with its problem, ascending by path. For leaders. */
  async unsorted(bandId: string, audiences: string[]): Promise<LibraryFile[]> {
    return this.visible(bandId, audiences, 'unknown');
  }

  /**
   * Who a file is for, for checking a download; null when Content does not know the file. It holds for that revision only:
   * the next one may be for somebody else.
   */
  async audienceOf(fileId: string): Promise<{ bandId: string; audience: string | null; revision: number } | null> {
    const file = await this.files.findOneBy({ fileId, removedAt: IsNull() });
    return file && { bandId: file.bandId, audience: file.audience, revision: file.revision };
  }

  /** The audiences that somebody belongs to besides the whole band: `Bb` for a trumpet, all for a leader. */
  audiencesFor(instrument: string, role: Role): string[] {
    return audiencesFor(instrument, role);
  }

  private async visible(bandId: string, audiences: string[], kind?: ContentSummary['kind']): Promise<LibraryFile[]> {
    const present = { bandId, removedAt: IsNull(), kind: kind ?? Not<ContentSummary['kind']>('setlist') };
    const files = await this.files.find({
      where: [
        { ...present, audience: IsNull() },
        { ...present, audience: In(audiences) },
      ],
      order: { path: 'asc', fileId: 'asc' },
    });
    return files.map(({ fileId, revision, path, summary }) => ({ fileId, revision, path, content: summary }));
  }
}

function titleOf(files: LibraryFile[]): string {
  const titled = files.find(({ content }) => content.kind === 'chart' && content.readable) ?? files[0];
  return titled?.content.title ?? '';
}

/** Without regard to case and accents, and the same on every machine. */
function byTitle(a: { title: string }, b: { title: string }): number {
  return a.title.localeCompare(b.title, 'en', { sensitivity: 'base', numeric: true });
}
