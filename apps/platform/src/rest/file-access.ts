import { Injectable } from '@nestjs/common';
import { AuthService } from '@soleil/auth';
import { CodedError } from '@soleil/bus';
import { ContentService } from '@soleil/content';
import { z } from 'zod';

/** Which files a member may open: those of an audience that Content gives their instrument, in a band that Auth says is theirs. */
@Injectable()
export class FileAccess {
  constructor(
    private readonly auth: AuthService,
    private readonly content: ContentService,
  ) {}

  /**
   * @returns the revision that may be opened: the one whose audience is known
   * @throws CodedError `file_unknown`, for a file that is not there and for one that is somebody else's alike
   */
  async require(userId: string, fileId: string): Promise<number> {
    if (!z.uuid().safeParse(fileId).success) throw fileUnknown();
    const file = await this.content.audienceOf(fileId);
    const membership = file && (await this.auth.memberships(userId)).find(({ bandId }) => bandId === file.bandId);
    const mayOpen =
      membership &&
      (file.audience === null || this.content.audiencesFor(membership.instrument, membership.role).includes(file.audience));
    if (!mayOpen) throw fileUnknown();
    return file.revision;
  }

  /** The audiences of a band that a member belongs to. @throws CodedError `band_forbidden` */
  async audiences(userId: string, bandId: string): Promise<string[]> {
    const membership = (await this.auth.memberships(userId)).find((candidate) => candidate.bandId === bandId);
    if (!membership) {
      throw new CodedError({
        code: 'band_forbidden',
        message: 'You are not a member of this band.',
        remedy: 'Ask a leader of the band for access.',
        status: 403,
      });
    }
    return this.content.audiencesFor(membership.instrument, membership.role);
  }
}

export const fileUnknown = (): CodedError =>
  new CodedError({
    code: 'file_unknown',
    message: 'There is no such file in your library.',
    remedy: 'Look the file up again; it may have been removed.',
    status: 404,
  });
