import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { demoMembers, demoPassword, type DemoMember } from './demo-members.js';

/** Only there while the demo band is loaded. */
@ApiTags('demo')
@Controller('auth')
export class DemoController {
  @Get('demo-members')
  @ApiOperation({ summary: 'The demo members and their password, for the sign-in page' })
  members(): (DemoMember & { password: string })[] {
    return demoMembers.map((member) => ({ ...member, password: demoPassword }));
  }
}
