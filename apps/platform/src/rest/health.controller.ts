import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DriveService } from '@soleil/drive';
import { SyncStatus } from '@soleil/sync';
import type { Response } from 'express';

interface Check {
  ok: boolean;
  /** For a stage that is not: why, in words for the operator. */
  reason?: string;
}

/** For orchestrators and load balancers. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly sync: SyncStatus,
    private readonly drive: DriveService,
  ) {}

  @Get('live')
  @ApiOperation({
    summary: 'True as long as the process serves. It stays true while the database is away: sockets outlive that.',
  })
  live(): { live: true } {
    return { live: true };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether changes come through: 200, or 503 with the stage that does not work.' })
  async ready(@Res({ passthrough: true }) response: Response): Promise<{ ready: boolean; checks: Record<string, Check> }> {
    const checks: Record<string, Check> = { sequencer: await this.sequencer(), folders: this.folders() };
    const ready = Object.values(checks).every(({ ok }) => ok);
    response.status(ready ? 200 : 503);
    return { ready, checks };
  }

  private async sequencer(): Promise<Check> {
    try {
      const { inOffice, waiting } = await this.sync.sequencer();
      return inOffice ? { ok: true } : { ok: false, reason: `No sequencer is in office; ${waiting} messages wait.` };
    } catch {
      return { ok: false, reason: 'The database cannot be reached.' };
    }
  }

  private folders(): Check {
    const sources = this.drive.sources();
    const broken = sources.filter(({ state }) => state === 'folder_missing');
    return broken.length === 0
      ? { ok: true }
      : { ok: false, reason: `${broken.length} of ${sources.length} folders cannot be read.` };
  }
}
