import { Controller, Headers, HttpCode, Ip, Logger, Post, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Bus, CodedError, type DriveNotification } from '@soleil/bus';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { bandOperation } from '../engine/band-work.js';
import { SyncEngine } from '../engine/sync-engine.js';
import { monotonicMs } from '../monotonic.js';
import { ErrorFilter } from './error-filter.js';

/** Refused notifications are logged this often at most: anybody may post them. */
const refusalsEveryMs = 60_000;

/**
 * Where drives post that something has changed. No user signs in here: Drive says whether a notification is genuine. What it is about
 * is looked up, never believed, and all there is to it is in the headers.
 */
@ApiTags('sync')
@Controller('sync')
@UseFilters(ErrorFilter)
export class DriveWebhookController {
  private readonly logger = new Logger('Webhook');
  private refusalsToldAt = -Infinity;
  private refusalsSince = 0;

  constructor(
    private readonly bus: Bus,
    private readonly engine: SyncEngine,
  ) {}

  @ApiOperation({
    summary: 'A drive tells that something has changed. Answered 202 once the look at the band is stored.',
    security: [],
  })
  @Post('webhook/drive')
  @HttpCode(202)
  async notified(
    @Headers() headers: IncomingHttpHeaders,
    @Ip() from: string,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<void> {
    // A body says nothing, and may be without end: whatever the application has not read of it is left unread.
    if (hasBody(headers)) response.setHeader('connection', 'close');
    const { bandId, eventId, state } = await this.presented(headers, from);
    this.logger.debug(`Band ${bandId}: notification ${eventId}, ${state}`);
    // The subscription has begun. There is nothing to look for, and nothing that would be missing in the record.
    if (state === 'sync') return;
    // Before the answer: a drive repeats what was not answered well, and nothing else.
    await this.engine.enqueue({ ...bandOperation(bandId, 'delta'), priority: 'normal', cause: 'webhook', eventId });
  }

  private async presented(headers: IncomingHttpHeaders, from: string): Promise<DriveNotification> {
    try {
      return await this.bus.request('drive.webhook_presented', { headers });
    } catch (error) {
      if (error instanceof CodedError && error.status < 500) this.refused(error, from);
      throw error;
    }
  }

  /** Without its headers: a token that is nearly right is nobody's to read. */
  private refused({ code }: CodedError, from: string): void {
    this.refusalsSince += 1;
    if (monotonicMs() - this.refusalsToldAt < refusalsEveryMs) return;
    this.logger.warn(
      `Refused a notification from ${from}: ${code}. It is number ${this.refusalsSince} since this was said last.`,
    );
    this.refusalsToldAt = monotonicMs();
    this.refusalsSince = 0;
  }
}

const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
