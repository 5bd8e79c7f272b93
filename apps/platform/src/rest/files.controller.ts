import { pipeline } from 'node:stream/promises';
import { Controller, Get, Param, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { AuthGuard, CurrentPrincipal } from '@soleil/auth';
import type { Principal } from '@soleil/bus';
import { DriveError, DriveService, serveFile } from '@soleil/drive';
import { SyncError } from '@soleil/sync-protocol';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { FileAccess, fileUnknown } from './file-access.js';

const revisionQuery = z.coerce.number().int().min(0).optional();

/** The bytes of files, to those they are for. */
@ApiTags('library')
@Controller('files')
@UseGuards(AuthGuard)
export class FilesController {
  constructor(
    private readonly access: FileAccess,
    private readonly drive: DriveService,
  ) {}

  @Get(':fileId/content')
  @ApiOperation({ summary: "A file's bytes, with an ETag and single ranges" })
  @ApiQuery({
    name: 'revision',
    required: false,
    description: 'Exactly this revision; `revision_gone` when it has changed since',
  })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiHeader({ name: 'Range', required: false })
  async content(
    @CurrentPrincipal() { userId }: Principal,
    @Param('fileId') fileId: string,
    @Query('revision') given: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const wanted = revisionQuery.safeParse(given);
    if (!wanted.success) throw new SyncError('request_invalid', 'A revision is a whole number.');
    const allowed = await this.access.require(userId, fileId);
    const state = await this.drive.state(fileId);
    if (state.state === 'removed') throw fileUnknown();
    const { revision } = state.file;
    // A newer one may be for somebody else: it is served when Content has said for whom.
    if (revision !== allowed || (wanted.data !== undefined && wanted.data !== revision)) {
      throw new DriveError('revision_gone', 'The file has changed since; these bytes are not there any more.');
    }
    const answer = serveFile(request.headers, state.file);
    const hasBody = answer.range !== undefined && request.method !== 'HEAD';
    // Opened before the status goes out, so that a failure is still an answer with a code. A file that Drive cannot serve
    // seems empty: opening it tells why.
    const opened = hasBody || state.file.problem ? await this.drive.open(fileId, { revision, range: answer.range }) : null;
    response.status(answer.status).set(answer.headers);
    if (!opened) {
      response.end();
      return;
    }
    try {
      await pipeline(opened.stream, response);
    } catch {
      // The device went away, or the file changed under the stream: the pipeline has destroyed the response, whose length
      // tells the device that it is not whole.
    }
  }
}
