import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DriveService } from '@soleil/drive';
import { SyncHealth, type Stage } from '@soleil/sync';
import type { Response } from 'express';

interface Check {
  ok: boolean;
  /** The first part of a change's way that does not work. */
  stage?: Stage;
  /** ISO 8601. */
  since?: string;
  /** For a stage that is not: why, in words for the operator. */
  reason?: string;
}

const reasons: Record<Stage, string> = {
  database: 'The database does not take what is published.',
  sequencer: 'What was published is not numbered: no process does it, or the one that should stands still.',
  fan_out: 'What is in the log does not reach the devices of this process.',
};

/** For orchestrators and load balancers. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly sync: SyncHealth,
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
  @ApiOperation({
    summary: 'Whether changes come through: 200, or within 3 s 503 with the stage that stopped, and since when.',
  })
  ready(@Res({ passthrough: true }) response: Response): { ready: boolean; checks: Record<string, Check> } {
    const checks: Record<string, Check> = { delivery: this.delivery(), folders: this.folders() };
    const ready = Object.values(checks).every(({ ok }) => ok);
    response.status(ready ? 200 : 503);
    return { ready, checks };
  }

  private delivery(): Check {
    const health = this.sync.check();
    if (health.ready) return { ok: true };
    const { stage, since } = health;
    return { ok: false, stage, since, reason: reasons[stage] };
  }

  private folders(): Check {
    const sources = this.drive.sources();
    const broken = sources.filter(({ state }) => state === 'folder_missing' || state === 'access_lost');
    return broken.length === 0
      ? { ok: true }
      : { ok: false, reason: `${broken.length} of ${sources.length} folders cannot be read.` };
  }
}
