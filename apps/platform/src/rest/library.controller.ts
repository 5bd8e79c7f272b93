import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { AuthGuard, AuthService, CurrentPrincipal } from '@soleil/auth';
import type { Principal } from '@soleil/bus';
import { ContentService, type LibraryFile, type LibrarySong } from '@soleil/content';
import { FileAccess } from './file-access.js';

interface BandLibrary {
  bandId: string;
  songs: LibrarySong[];
  setlists: LibraryFile[];
  /** Files that fit no name, each with its reason. For leaders. */
  unsorted: LibraryFile[];
}

/** What a member's screen shows, for those who do not follow the log. */
@ApiTags('library')
@Controller('library')
@UseGuards(AuthGuard)
export class LibraryController {
  constructor(
    private readonly auth: AuthService,
    private readonly content: ContentService,
    private readonly access: FileAccess,
  ) {}

  @Get()
  @ApiOperation({ summary: "The repertoire that belongs to the caller's instrument, of one band or of all of theirs" })
  @ApiQuery({ name: 'bandId', required: false })
  async library(
    @CurrentPrincipal() { userId }: Principal,
    @Query('bandId') bandId?: string,
  ): Promise<{ bands: BandLibrary[] }> {
    const bandIds = bandId ? [bandId] : (await this.auth.bands(userId)).map((band) => band.bandId);
    return { bands: await Promise.all(bandIds.map((id) => this.ofBand(userId, id))) };
  }

  private async ofBand(userId: string, bandId: string): Promise<BandLibrary> {
    const audiences = await this.access.audiences(userId, bandId);
    const [songs, setlists, unsorted] = await Promise.all([
      this.content.library(bandId, audiences),
      this.content.setlists(bandId),
      this.content.unsorted(bandId, audiences),
    ]);
    return { bandId, songs, setlists, unsorted };
  }
}
