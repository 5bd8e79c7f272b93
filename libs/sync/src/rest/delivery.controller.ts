import { Controller, Get, Param, UseFilters, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DeliveryLedger, messageUnknown, type Delivery } from '../ledger/delivery-ledger.js';
import { CallerGuard, CurrentCaller, type Caller } from './caller.js';
import { ErrorFilter } from './error-filter.js';

/** Whether what was published has arrived, for those it was published to. */
@ApiTags('sync')
@Controller('sync')
@UseGuards(CallerGuard)
@UseFilters(ErrorFilter)
export class DeliveryController {
  constructor(private readonly ledger: DeliveryLedger) {}

  @ApiOperation({
    summary: 'Who knows a message and who has its file, by member and device; for those who may follow its channel.',
  })
  @Get('messages/:id/delivery')
  async delivery(@CurrentCaller() { access }: Caller, @Param('id') id: string): Promise<Delivery> {
    const delivery = await this.ledger.delivery(id);
    // That a message exists is nobody else's business.
    if (!access.channels.has(delivery.channel)) throw messageUnknown();
    return delivery;
  }
}
