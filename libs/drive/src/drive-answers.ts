import { Injectable } from '@nestjs/common';
import { OnQuestion, type Answer, type Ask } from '@soleil/bus';
import { DriveService } from './drive.service.js';

/** Answers what the bus asks of Drive. */
@Injectable()
export class DriveAnswers {
  constructor(private readonly drive: DriveService) {}

  @OnQuestion('drive.file_requested')
  async file({ fileId }: Ask<'drive.file_requested'>): Promise<Answer<'drive.file_requested'>> {
    return this.drive.state(fileId);
  }

  @OnQuestion('drive.bands_requested')
  async bands(): Promise<Answer<'drive.bands_requested'>> {
    return { bandIds: await this.drive.connectedBands() };
  }

  @OnQuestion('drive.files_requested')
  async files({ bandId }: Ask<'drive.files_requested'>): Promise<Answer<'drive.files_requested'>> {
    const files = await this.drive.files(bandId);
    return { fileIds: files.map((file) => file.fileId) };
  }

  @OnQuestion('drive.bytes_requested')
  async bytes({ fileId, revision, limit }: Ask<'drive.bytes_requested'>): Promise<Answer<'drive.bytes_requested'>> {
    const { stream, file } = await this.drive.open(fileId, { revision, atMost: limit });
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    return { bytes: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces), truncated: file.size > limit };
  }

  @OnQuestion('drive.rescan_requested')
  async rescan({ bandId }: Ask<'drive.rescan_requested'>): Promise<Answer<'drive.rescan_requested'>> {
    return this.drive.rescan(bandId);
  }

  @OnQuestion('drive.webhook_presented')
  async webhook({ headers }: Ask<'drive.webhook_presented'>): Promise<Answer<'drive.webhook_presented'>> {
    return this.drive.takeNotification(headers);
  }
}
