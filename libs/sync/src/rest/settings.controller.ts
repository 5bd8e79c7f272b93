import { Body, Controller, Get, Inject, Param, Put, UseFilters, UseGuards } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { SyncRequests } from '../gateway/sync-requests.js';
import type { ResolvedSyncOptions } from '../options.js';
import { defaultSettings, type Settings } from '../settings/band-settings.js';
import { SYNC_OPTIONS } from '../tokens.js';
import { CallerGuard, CurrentCaller, type Caller } from './caller.js';
import { ErrorFilter } from './error-filter.js';
import { fitted } from './fitted.js';

const fileType = z
  .string()
  .regex(/^[a-z0-9]{1,16}$/, 'A file type is the ending of names, in small letters and without the dot, such as pdf');

const week = 7 * 24 * 3600;
const tebibyte = 2 ** 40;

/** What is left out stays as it is; null is the default. */
const change = z
  .strictObject({
    intervalSeconds: z.int().min(10).max(week).nullable(),
    fileTypes: z.array(fileType).min(1, 'Name a file type, or give null for all files').max(50).nullable(),
    largestBytes: z.int().min(1).max(tebibyte).nullable(),
    sameName: z.enum(['all', 'newest']).nullable(),
    operationsPerMinute: z.int().min(1).max(1_000_000).nullable(),
  })
  .partial();

/** How a band wants to be synchronised, for its leaders. */
@ApiTags('sync')
@Controller('sync')
@UseGuards(CallerGuard)
@UseFilters(ErrorFilter)
export class SettingsController {
  private readonly defaults: Settings;

  constructor(
    private readonly requests: SyncRequests,
    @Inject(SYNC_OPTIONS) { bandSyncIntervalMs, bandOperationsPerMinute }: ResolvedSyncOptions,
  ) {
    this.defaults = {
      ...defaultSettings,
      sameName: 'all',
      intervalSeconds: bandSyncIntervalMs / 1000,
      operationsPerMinute: bandOperationsPerMinute,
    };
  }

  @ApiOperation({
    summary:
      "How a band is synchronised, where that is not as by default, and what the defaults are; for the band's leaders.",
  })
  @Get('bands/:bandId/settings')
  async settings(@CurrentCaller() { access }: Caller, @Param('bandId') bandId: string): Promise<SettingsView> {
    return { bandId, settings: await this.requests.settings(access, bandId), defaults: this.defaults };
  }

  @ApiOperation({
    summary:
      "Changes what is given of a band's settings, null to the default. Where other files are wanted than before, a full sync is queued; for the band's leaders.",
  })
  @Put('bands/:bandId/settings')
  @ApiBody({ schema: z.toJSONSchema(change, { io: 'input' }) as never })
  async change(
    @CurrentCaller() { principal, access }: Caller,
    @Param('bandId') bandId: string,
    @Body() body: unknown,
  ): Promise<SettingsView & { operationId: string | null }> {
    const { settings, operationId } = await this.requests.changeSettings(
      principal.userId,
      access,
      bandId,
      fitted(change, body),
    );
    return { bandId, settings, defaults: this.defaults, operationId };
  }
}

/** A band's settings as they are chosen, and what null stands for. */
export interface SettingsView {
  bandId: string;
  settings: Settings;
  defaults: Settings;
}
