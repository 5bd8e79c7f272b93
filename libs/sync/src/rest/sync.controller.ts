import { Body, Controller, Get, HttpCode, Post, UseFilters, UseGuards } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { SyncRequests } from '../gateway/sync-requests.js';
import { SyncStatus, type Status } from '../sync-status.js';
import { CallerGuard, CurrentCaller, type Caller } from './caller.js';
import { ErrorFilter } from './error-filter.js';
import { fitted } from './fitted.js';

const trigger = z.strictObject({
  bandId: z.string().min(1).max(64),
  mode: z.enum(['delta', 'full']).default('delta'),
});

/** The state of Sync, for people with a browser and for scripts. */
@ApiTags('sync')
@Controller('sync')
@UseGuards(CallerGuard)
@UseFilters(ErrorFilter)
export class SyncController {
  constructor(
    private readonly requests: SyncRequests,
    private readonly state: SyncStatus,
  ) {}

  @ApiOperation({ summary: 'The channels that the caller may follow.' })
  @Get('channels')
  channels(@CurrentCaller() { access }: Caller): { channels: string[] } {
    return { channels: [...access.channels] };
  }

  @ApiOperation({ summary: "How Sync is doing, what the caller's bands hold, and which devices are connected." })
  @Get('status')
  status(@CurrentCaller() { principal, access }: Caller): Promise<Status> {
    return this.state.status(principal.userId, access);
  }

  @ApiOperation({ summary: 'Queues a look over a band; `full`, which checks every file, is for its leaders.' })
  @Post('trigger')
  @HttpCode(202)
  @ApiBody({ schema: z.toJSONSchema(trigger, { io: 'input' }) as never })
  async trigger(@CurrentCaller() { principal, access }: Caller, @Body() body: unknown): Promise<{ operationId: string }> {
    const { bandId, mode } = fitted(trigger, body);
    return { operationId: await this.requests.request(principal.userId, access, { scope: 'band', id: bandId, mode }) };
  }
}
