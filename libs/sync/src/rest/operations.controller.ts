import { Controller, Get, HttpCode, Param, Post, Query, UseFilters, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { SyncError } from '@soleil/sync-protocol';
import { z } from 'zod';
import type { SyncItem } from '../entities/sync-item.js';
import { operationKinds, operationStatuses, type SyncOperation } from '../entities/sync-operation.js';
import { FileSynchronizer } from '../engine/file-synchronizer.js';
import { SyncEngine } from '../engine/sync-engine.js';
import { belongsTo, leads } from '../gateway/access.js';
import { SyncRequests } from '../gateway/sync-requests.js';
import { CallerGuard, CurrentCaller, type Caller } from './caller.js';
import { ErrorFilter } from './error-filter.js';
import { fitted } from './fitted.js';

const listQuery = z.strictObject({
  bandId: z.string().min(1).max(64).optional(),
  kind: z.enum(operationKinds).optional(),
  status: z.enum(operationStatuses).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const itemsQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(200) });

/** The queue: what Sync does for a band, and what its leaders may do about it. */
@ApiTags('sync')
@Controller('sync')
@UseGuards(CallerGuard)
@UseFilters(ErrorFilter)
export class OperationsController {
  constructor(
    private readonly engine: SyncEngine,
    private readonly files: FileSynchronizer,
    private readonly requests: SyncRequests,
  ) {}

  @ApiOperation({ summary: 'Operations of the bands that the caller leads, or of one of them, newest first.' })
  @Get('operations')
  @ApiQuery({ name: 'bandId', type: String, required: false })
  @ApiQuery({ name: 'kind', enum: operationKinds, required: false })
  @ApiQuery({ name: 'status', enum: operationStatuses, required: false })
  @ApiQuery({ name: 'limit', type: Number, required: false, description: '1 to 200, by default 50' })
  async operations(@CurrentCaller() { access }: Caller, @Query() query: unknown): Promise<{ operations: OperationView[] }> {
    const { bandId, ...filter } = fitted(listQuery, query);
    const bandIds = access.memberships
      .map((membership) => membership.bandId)
      .filter((each) => leads(access, each) && each === (bandId ?? each));
    if (bandIds.length === 0) throw new SyncError('leader_only', 'Only leaders see the operations of a band.');
    const found = await this.engine.operations({ bandIds, ...filter });
    return { operations: found.map(viewOf) };
  }

  @ApiOperation({
    summary:
      'One operation: any of a band that the caller leads, one on a band or a file of the caller, or one they asked for.',
  })
  @Get('operations/:id')
  async operation(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<OperationView> {
    return viewOf(await this.visible(caller, id));
  }

  @ApiOperation({
    summary:
      'What became of each file of an operation that is about many, those that failed first; for leaders of its band.',
  })
  @ApiQuery({ name: 'limit', type: Number, required: false, description: '1 to 1,000, by default 200' })
  @Get('operations/:id/items')
  async items(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<{ items: ItemView[] }> {
    const operation = await this.led(caller, id);
    const found = await this.engine.items(operation.id, fitted(itemsQuery, query).limit);
    return { items: found.map(({ operationId: _operation, ...view }) => view) };
  }

  @ApiOperation({
    summary:
      'Ends an operation that waits or runs: nothing of it takes effect any more. Returns it; for leaders of its band.',
  })
  @Post('operations/:id/cancel')
  @HttpCode(200)
  async cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<OperationView> {
    const operation = await this.led(caller, id);
    await this.engine.cancel(operation.id);
    return viewOf(await this.engine.operation(operation.id));
  }

  @ApiOperation({
    summary:
      'Tries a dead operation again, with all its attempts; cancelled where a newer one of its file waits already. Returns it; for leaders of its band.',
  })
  @Post('operations/:id/retry')
  @HttpCode(200)
  async retry(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<OperationView> {
    const operation = await this.led(caller, id);
    await this.requests.retry(caller.principal.userId, operation.id);
    return viewOf(await this.engine.operation(operation.id));
  }

  @ApiOperation({ summary: 'Gives a dead operation up: it is cancelled. Returns it; for leaders of its band.' })
  @Post('operations/:id/discard')
  @HttpCode(200)
  async discard(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<OperationView> {
    const operation = await this.led(caller, id);
    await this.engine.discard(operation.id);
    return viewOf(await this.engine.operation(operation.id));
  }

  /**
   * @returns the operation, whose id is written as everywhere: asked for, it may be in capitals
   * @throws SyncError `leader_only` for who may see it and no more; else as {@link visible}
   */
  private async led(caller: Caller, id: string): Promise<SyncOperation> {
    const operation = await this.visible(caller, id);
    if (!leads(caller.access, operation.bandId ?? ''))
      throw new SyncError('leader_only', 'Only leaders of its band see what an operation is made of, and decide about it.');
    return operation;
  }

  /** @throws SyncError `operation_unknown`, also for one that the caller may not see: that it exists is not told */
  private async visible(caller: Caller, id: string): Promise<SyncOperation> {
    const unknown = new SyncError('operation_unknown', 'There is no such operation.');
    if (!z.uuid().safeParse(id).success) throw unknown;
    const found = await this.engine.operation(id);
    const mayLook =
      found.userId === caller.principal.userId ||
      leads(caller.access, found.bandId ?? '') ||
      (await this.isAbout(found, caller));
    if (!mayLook) throw unknown;
    return found;
  }

  /** Whether an operation is on a band or a file of somebody: those of other parts' files are not for them. */
  private async isAbout({ kind, bandId, fileId }: SyncOperation, { access }: Caller): Promise<boolean> {
    if (kind === 'band') return belongsTo(access, bandId ?? '');
    const file = fileId === null ? null : await this.files.channelOf(fileId);
    return file?.channel != null && access.channels.has(file.channel);
  }
}

/** An operation as it is shown: the row without what belongs to the machinery. */
export type OperationView = Omit<SyncOperation, 'leaseToken' | 'leaseUntil' | 'orderingKey' | 'node' | 'worker'>;

/** A file of an operation that is about many, and the operation that does the work. */
export type ItemView = Omit<SyncItem, 'operationId'>;

function viewOf({
  leaseToken: _token,
  leaseUntil: _until,
  orderingKey: _key,
  node: _node,
  worker: _worker,
  ...view
}: SyncOperation): OperationView {
  return view;
}
