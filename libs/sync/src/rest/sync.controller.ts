import { Body, Controller, Get, HttpCode, Param, Post, Query, UseFilters, UseGuards } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { SyncError } from '@soleil/sync-protocol';
import { z } from 'zod';
import { operationStatuses, type SyncOperation } from '../entities/sync-operation.js';
import { FileSynchronizer } from '../engine/file-synchronizer.js';
import { SyncEngine } from '../engine/sync-engine.js';
import { belongsTo, leads, type Access } from '../gateway/access.js';
import { SyncRequests } from '../gateway/sync-requests.js';
import { SyncStatus, type Status } from '../sync-status.js';
import { CallerGuard, CurrentCaller, type Caller } from './caller.js';
import { ErrorFilter } from './error-filter.js';

const trigger = z.strictObject({
  bandId: z.string().min(1).max(64),
  mode: z.enum(['delta', 'full']).default('delta'),
});

const listQuery = z.strictObject({
  status: z.enum(operationStatuses).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** The queue and the state of Sync, for people with a browser and for scripts. */
@ApiTags('sync')
@Controller('sync')
@UseGuards(CallerGuard)
@UseFilters(ErrorFilter)
export class SyncController {
  constructor(
    private readonly engine: SyncEngine,
    private readonly requests: SyncRequests,
    private readonly files: FileSynchronizer,
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

  @ApiOperation({ summary: 'Operations of the bands that the caller leads, newest first.' })
  @Get('operations')
  @ApiQuery({ name: 'status', enum: operationStatuses, required: false })
  @ApiQuery({ name: 'limit', type: Number, required: false })
  async operations(@CurrentCaller() { access }: Caller, @Query() query: unknown): Promise<{ operations: OperationView[] }> {
    const bandIds = access.memberships.map(({ bandId }) => bandId).filter((bandId) => leads(access, bandId));
    if (bandIds.length === 0) throw new SyncError('leader_only', 'Only leaders see the operations of a band.');
    const found = await this.engine.operations({ bandIds, ...fitted(listQuery, query) });
    return { operations: found.map(viewOf) };
  }

  @ApiOperation({
    summary:
      'One operation: on a band of the caller, of a file in a band that the caller leads, or asked for by the caller.',
  })
  @Get('operations/:id')
  async operation(@CurrentCaller() { principal, access }: Caller, @Param('id') id: string): Promise<OperationView> {
    const unknown = new SyncError('operation_unknown', 'There is no such operation.');
    if (!z.uuid().safeParse(id).success) throw unknown;
    const found = await this.engine.operation(id);
    const mayLook =
      found.userId === principal.userId || leads(access, found.bandId ?? '') || (await this.isAbout(found, access));
    if (!mayLook) throw unknown;
    return viewOf(found);
  }

  /** Whether an operation is on a band or a file of somebody: those of other parts' files are not for them. */
  private async isAbout({ kind, bandId, fileId }: SyncOperation, access: Access): Promise<boolean> {
    if (kind === 'band') return belongsTo(access, bandId ?? '');
    const file = fileId === null ? null : await this.files.channelOf(fileId);
    return file?.channel != null && access.channels.has(file.channel);
  }
}

/** An operation as it is shown: the row without what belongs to the machinery. */
export type OperationView = Omit<SyncOperation, 'leaseToken' | 'leaseUntil' | 'orderingKey' | 'node'>;

function viewOf({
  leaseToken: _token,
  leaseUntil: _until,
  orderingKey: _key,
  node: _node,
  ...view
}: SyncOperation): OperationView {
  return view;
}

/** @throws SyncError `request_invalid` */
function fitted<Schema extends z.ZodType>(schema: Schema, given: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(given ?? {});
  if (!parsed.success)
    throw new SyncError('request_invalid', `The request does not fit: ${z.prettifyError(parsed.error)}`, {
      issues: parsed.error.issues,
    });
  return parsed.data;
}
